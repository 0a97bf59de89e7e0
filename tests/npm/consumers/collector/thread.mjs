import { Worker } from 'node:worker_threads';

new Worker("import('bellwether/collector').then(({ recordMetric }) => recordMetric('thread', 1));", { eval: true });
