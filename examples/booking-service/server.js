// The booking service on a port of its own: POST /book books, GET /stats says how long that takes.
import http from 'node:http';
import { bookSlot, getStats } from './bookingService.js';

const server = http.createServer(async (req, res) => {
  const answer = (status, body) => res.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
  res.send = (body) => answer(200, body);
  if (req.method === 'POST' && req.url === '/book') return bookSlot(req, res);
  if (req.method !== 'GET' || req.url !== '/stats') return answer(404, { error: 'there are only POST /book and GET /stats' });
  try {
    res.send({ avg_booking_time_ms: await getStats() });
  } catch (error) {
    answer(502, { error: error.message }); // bookings go on without their figures
  }
});

server.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  console.log(`Booking service at http://127.0.0.1:${server.address().port}`);
});
