// The collector in whole Node processes: how they end, and what web frameworks see of it.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import express from 'express';
import express4 from 'express-4';
import fastify from 'fastify';
import fastify4 from 'fastify-4';
import { startGateway, until } from '../browser/support/gateway.mjs';
import { figure, installed } from './support/collector.mjs';

const run = promisify(execFile);

let gateway;
let module;
before(async () => {
  gateway = await startGateway({ flags: ['--no-host-metrics'] });
  module = await installed();
});
after(async () => {
  await gateway?.stop();
  module?.consumer.remove();
});

const settings = (url = gateway.url) => ({ cwd: module.consumer.folder, env: { ...process.env, BELLWETHER_URL: url } });
const count = (name) => figure(gateway.url, `name=${name}&window=5m&agg=count`);

for (const [file, metric, samples] of [['ends.mjs', 'ends', 5], ['required.cjs', 'required', 1], ['thread.mjs', 'thread', 1]]) {
  test(`${file}: what is left at the end is sent`, async () => {
    const { stderr } = await run(process.execPath, [file], settings());
    assert.equal(stderr, '');
    assert.equal(await count(metric), samples);
  });
}

test('a process without a gateway ends all the same, and says what was lost', async () => {
  const gone = await startGateway({ flags: ['--no-host-metrics'] });
  await gone.stop();
  const { stderr } = await run(process.execPath, ['ends.mjs'], settings(gone.url));
  assert.match(stderr, /cannot be reached \(ECONNREFUSED\)/);
  assert.match(stderr, /samples lost: 5/);
});

async function served(...parameters) {
  const service = spawn(process.execPath, ['serves.mjs', ...parameters], settings());
  const ended = new Promise((resolve) => service.once('exit', (code, signal) => resolve({ code, signal })));
  await new Promise((resolve) => service.stdout.once('data', resolve));
  service.kill('SIGTERM');
  return ended;
}

test('SIGTERM sends what is left, and still ends the process', async () => {
  assert.deepEqual(await served(), { code: null, signal: 'SIGTERM' });
  assert.equal(await count('serves'), 1);
});

test('where the service handles SIGTERM, it decides about the end', async () => {
  assert.deepEqual(await served('own handler'), { code: 7, signal: null });
  assert.equal(await count('serves'), 2);
});

test('the well-known booking service runs with its import path changed', async () => {
  const { stdout, stderr } = await run(process.execPath, ['books.mjs'], settings());
  assert.equal(stderr, '');
  assert.match(stdout, /^Avg booking time: null\n\{"status":"ok"\}\nAvg booking time: \d+\n$/);
});

const withExpress = (framework) => async (collector) => {
  const app = framework();
  app.set('env', 'test');
  app.use(module.expressRequests(collector));
  const book = framework.Router();
  book.get('/:id', (request, response) => response.json({ id: request.params.id }));
  app.use('/book', book);
  app.get('/fails', (request, response) => response.status(500).end());
  const server = await new Promise((resolve) => { const listening = app.listen(0, '127.0.0.1', () => resolve(listening)); });
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => new Promise((resolve) => server.close(resolve)) };
};

const withFastify = (framework) => async (collector) => {
  const app = framework();
  app.addHook('onResponse', module.fastifyRequests(collector));
  app.get('/book/:id', (request) => ({ id: request.params.id }));
  app.get('/fails', (request, reply) => reply.code(500).send());
  return { url: await app.listen({ port: 0, host: '127.0.0.1' }), close: () => app.close() };
};

for (const [name, serve] of [
  ['Express 5', withExpress(express)],
  ['Express 4', withExpress(express4)],
  ['Fastify 5', withFastify(fastify)],
  ['Fastify 4', withFastify(fastify4)],
]) {
  test(`${name}'s requests are recorded by route, never by address`, async () => {
    const own = module.createCollector({ url: gateway.url, labels: { framework: name } });
    const server = await serve(own);
    for (const path of ['/book/7', '/book/8', '/nowhere', '/fails']) await fetch(server.url + path, { headers: { Connection: 'close' } });
    await until(() => own.counters().recorded === 4, 'the requests are recorded');
    await server.close();
    assert.equal((await own.close()).stored, 4);
    const query = { window: '5m', where: { framework: name }, by: ['method', 'route', 'status'] };
    const groups = await own.queryMetric('http_server_request_duration_seconds', { ...query, agg: 'count' });
    assert.deepEqual(
      groups.map(({ labels: { method, route, status }, result }) => `${method} ${route} ${status}: ${result}`).toSorted(),
      ['GET /book/:id 200: 2', 'GET /fails 500: 1', 'GET unmatched 404: 1'],
    );
    const longest = await own.queryMetric('http_server_request_duration_seconds', { ...query, agg: 'max' });
    for (const { result } of longest) assert.ok(result > 0 && result < 10, `${result} s`);
  });
}
