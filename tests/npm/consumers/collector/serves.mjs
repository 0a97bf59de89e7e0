// Runs until it is told to end.
import { createCollector } from 'bellwether/collector';

const { recordMetric } = createCollector({ url: process.env.BELLWETHER_URL, batchMs: 60_000 });
recordMetric('serves', 1);
if (process.argv[2] === 'own handler') process.on('SIGTERM', () => setTimeout(() => process.exit(7), 1_000));
setInterval(() => {}, 1_000);
console.log('ready');
