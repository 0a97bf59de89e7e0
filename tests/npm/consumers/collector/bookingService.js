// bookingService.js
import { recordMetric, queryMetric } from 'bellwether/collector';

// 1. Record a response time
async function bookSlot(req, res) {
  const start = Date.now();
  // ... do booking logic ...
  const elapsed = Date.now() - start;
  recordMetric('booking_response_time', elapsed);
  res.send({ status: 'ok' });
}

// 2. Query average over last 5 minutes
async function getStats() {
  const avgTime = await queryMetric('booking_response_time', { window: '5m', agg: 'avg' });
  console.log('Avg booking time:', avgTime);
}

export { bookSlot, getStats };
