import { queryMetric, recordMetric } from './metrics/collector.js';

const before = await queryMetric('listing', { window: '5m', agg: 'avg' });
for (const value of [100, 160]) recordMetric('listing', value);
// It does not say when a sample has arrived.
let result = null;
while (result !== 130) result = await queryMetric('listing', { window: '5m', agg: 'avg' });
console.log(JSON.stringify({ before, result }));
