// bookingService.js
import { recordMetric, queryMetric } from './metrics/collector.js';

// 1. Record a response time
export async function bookSlot(req, res) {
  const start = Date.now();
  await chooseSlot();
  const elapsed = Date.now() - start;
  recordMetric('booking_response_time', elapsed);
  res.send({ status: 'ok' });
}

// 2. Query average over last 5 minutes
export async function getStats() {
  const avgTime = await queryMetric('booking_response_time', { window: '5m', agg: 'avg' });
  console.log('Avg booking time:', avgTime);
  return avgTime;
}

// Stands for the booking itself: takes between 50 and 150 ms.
function chooseSlot() {
  return new Promise((resolve) => setTimeout(resolve, 50 + 100 * Math.random()));
}
