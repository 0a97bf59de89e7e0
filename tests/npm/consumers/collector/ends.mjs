// Records and comes to its end; what is left is sent then.
import { recordMetric } from 'bellwether/collector';

for (let value = 1; value <= 5; value += 1) recordMetric('ends', value);
