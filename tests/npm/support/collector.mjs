// The collector of the packed package, and what the tests put around it: a clock that they move, and an unreliable road
// to the real gateway.
import http from 'node:http';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { project } from './project.mjs';

/** The module `bellwether/collector` out of the packed package, in a project of its own. */
export async function installed() {
  const consumer = await project('collector');
  const entry = path.join(consumer.folder, 'node_modules/bellwether/collector.js');
  return { ...(await import(pathToFileURL(entry))), consumer };
}

/** A clock that stands still until it is moved. */
export function manualClock(start) {
  let now = start;
  let timers = [];
  return {
    now: () => now,
    elapsed: () => now - start,
    after(ms, then) {
      const timer = { at: now + ms, then };
      timers.push(timer);
      return () => { timers = timers.filter((one) => one !== timer); };
    },
    /** How far away the next timer is; `Infinity` where there is none. */
    untilNext: () => Math.min(...timers.map(({ at }) => at)) - now,
    /** Moves on by `ms` and calls what is due on the way, each at its own instant. */
    move(ms) {
      const end = now + ms;
      for (;;) {
        const due = timers.filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)[0];
        if (!due) break;
        timers = timers.filter((one) => one !== due);
        now = due.at;
        due.then();
      }
      now = end;
    },
  };
}

/** `fetch`, and a way to wait until none of its requests is under way. */
export function watchedFetch() {
  const underWay = new Set();
  return {
    fetch(url, init) {
      const request = fetch(url, init);
      // The answer's body counts too.
      const whole = request.then(async (response) => {
        const text = await response.text();
        return { status: response.status, headers: response.headers, text: async () => text };
      });
      const ended = whole.catch(() => {}).then(() => underWay.delete(ended));
      underWay.add(ended);
      return whole;
    },
    async quiet() {
      do {
        await Promise.all(underWay);
        // What an answer or a timer sets off runs before this.
        await new Promise((resolve) => setImmediate(resolve));
      } while (underWay.size > 0);
    },
  };
}

/**
 * A road to the gateway at `target` on which things go wrong: `plan(n)` says what happens to the n-th request, from 0.
 *
 * - `'pass'`: nothing.
 * - `'lose answer'`: the gateway gets the request, and its answer is lost.
 * - `'lose request'`: the connection breaks before.
 * - `{ status, headers, body }`: somebody on the way answers instead.
 */
export async function unreliableRoad(target, plan) {
  const seen = [];
  const server = http.createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    const event = plan(seen.length) ?? 'pass';
    seen.push({ event, at: performance.now(), key: request.headers['idempotency-key'], headers: request.headers, url: request.url });
    if (event === 'lose request') return request.socket.destroy();
    if (typeof event === 'object') return response.writeHead(event.status, event.headers).end(event.body);
    const { 'content-type': type, 'idempotency-key': key } = request.headers;
    const answer = await fetch(target + request.url, {
      method: request.method,
      headers: { ...(type && { 'Content-Type': type }), ...(key && { 'Idempotency-Key': key }) },
      ...(request.method === 'POST' && { body: Buffer.concat(parts) }),
    });
    const body = Buffer.from(await answer.arrayBuffer());
    if (event === 'lose answer') return request.socket.destroy();
    response.writeHead(answer.status, { 'Content-Type': answer.headers.get('content-type') ?? 'text/plain' }).end(body);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    seen,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The figure that the gateway gives for `parameters`. */
export async function figure(url, parameters) {
  const answer = await fetch(`${url}/query?${parameters}`);
  if (!answer.ok) throw new Error(await answer.text());
  return (await answer.json()).result;
}
