// What a JavaScript developer would build for the fan-out: npm's `ws`, with the frame built once and written straight
// to each socket. Who connects to /publish says what the others get.
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

const http = createServer((_, response) => response.end());
const server = new WebSocketServer({ server: http, perMessageDeflate: false });
const viewers = new Set();

/** A binary message of a server, of less than 64 KiB. */
function frame(payload) {
  const head = payload.length < 126 ? Buffer.from([0x82, payload.length]) : Buffer.from([0x82, 126, payload.length >> 8, payload.length & 0xff]);
  return Buffer.concat([head, payload]);
}

server.on('connection', (socket, { url }) => {
  socket._socket.setNoDelay(true);
  if (url !== '/publish') {
    viewers.add(socket);
    socket.on('close', () => viewers.delete(socket));
    return;
  }
  socket.on('message', (message) => {
    const bytes = frame(message);
    for (const viewer of viewers) viewer._socket.write(bytes);
  });
});
http.listen(Number(process.argv[2]), '127.0.0.1');
