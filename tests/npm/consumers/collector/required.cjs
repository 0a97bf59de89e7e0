const { recordMetric } = require('bellwether/collector');

recordMetric('required', 1);
