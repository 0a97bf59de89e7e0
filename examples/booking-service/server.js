// The booking service on a port of its own: POST /book books, GET /stats says how long that takes.
import http from 'node:http';
import { bookSlot, getStats } from './bookingService.js';

const server = http.createServer(async (req, res) => {
  res.send = (body) => res.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
  if (req.method === 'POST' && req.url === '/book') return bookSlot(req, res);
  if (req.method === 'GET' && req.url === '/stats') return res.send({ avg_booking_time_ms: await getStats() });
  res.writeHead(404).end();
});

server.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  console.log(`Booking service at http://127.0.0.1:${server.address().port}`);
});
