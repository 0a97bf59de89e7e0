// A webhook receiver that keeps what it was sent.
import http from 'node:http';

/** Listens on `port` (0 for a free one) and answers 200 to each POST. */
export async function receiveWebhooks(port = 0) {
  const received = [];
  const server = http.createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    received.push(JSON.parse(body));
    response.writeHead(200).end();
  });
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    received,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}
