// The collector of the packed package against the real gateway.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startGateway, temporaryFolder, until } from '../browser/support/gateway.mjs';
import { figure, installed, manualClock, unreliableRoad, watchedFetch } from './support/collector.mjs';
import { guardedGateway } from './support/guarded.mjs';

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

/** A collector that keeps its problems; what it is told counts before. */
function collector(options) {
  const problems = [];
  const made = module.createCollector({ url: gateway.url, onProblem: (problem) => problems.push(problem), retryMs: 20, ...options });
  return Object.assign(made, { problems });
}

const none = { recorded: 0, stored: 0, rejected: 0, dropped: 0, waiting: 0, retries: 0 };

test('a sample is recorded and asked for', async () => {
  const { recordMetric, queryMetric, flush, counters } = collector({ labels: { service: 'booking' } });
  assert.equal(await queryMetric('asked', { window: '5m', agg: 'avg' }), null);
  recordMetric('asked', 120);
  recordMetric('asked', 140, { route: '/book' });
  recordMetric('asked', 160, { service: 'other' }, { unit: 'ms', kind: 'observation', ref: 'HA-001', timestamp: Date.now() - 1_000 });
  assert.deepEqual(counters(), { ...none, recorded: 3, waiting: 3 });
  assert.equal(await flush(), true);
  assert.deepEqual(counters(), { ...none, recorded: 3, stored: 3 });
  assert.equal(await queryMetric('asked', { window: '5m', agg: 'avg' }), 140);
  assert.equal(await queryMetric('asked', { window: 300_000, agg: 'p50', where: { service: 'booking', route: '/book' } }), 140);
  assert.equal(await queryMetric('asked', { window: '5m', agg: 'last', across: 'max', at: Date.now() }), 160);
  const groups = await queryMetric('asked', { window: '5m', agg: 'count', by: ['service'] });
  assert.deepEqual(groups.map(({ labels, result }) => [labels.service, result]), [['booking', 2], ['other', 1]]);
});

test('samples wait for others, but not long', async () => {
  const clock = manualClock(Date.now());
  const { fetch, quiet } = watchedFetch();
  const { recordMetric, counters } = collector({ clock, fetch, batchMs: 500, batchSamples: 3 });
  recordMetric('batched', 1);
  clock.move(499);
  await quiet();
  assert.equal(counters().stored, 0);
  clock.move(1);
  await quiet();
  assert.equal(counters().stored, 1);
  for (const value of [1, 2, 3]) recordMetric('batched', value);
  await quiet();
  assert.equal(counters().stored, 4, 'as many as a batch takes go at once');
  assert.equal(clock.untilNext(), Infinity, 'nothing is left to do');
});

test('what the gateway refuses is final, counted and named', async () => {
  const own = collector();
  own.recordMetric('refused', 1);
  own.recordMetric('refused', Number.NaN);
  own.recordMetric('', 1);
  own.recordMetric('refused', 1, undefined, { timestamp: Date.now() + 3_600_000 });
  assert.equal(await own.flush(), true);
  assert.deepEqual(own.counters(), { ...none, recorded: 4, stored: 1, rejected: 3 });
  assert.deepEqual(own.problems.map(({ code, lost }) => ({ code, lost })), [{ code: 'bad_value', lost: 3 }]);
  assert.match(own.problems[0].message, /^3 of 4 samples were refused: /);
  await assert.rejects(own.queryMetric('refused'), { name: 'BellwetherError', code: 'bad_window' });
  await assert.rejects(own.queryMetric('refused', { window: '5m', agg: 'mean' }), (error) => {
    assert.ok(error instanceof module.BellwetherError);
    assert.equal(error.code, 'bad_aggregation');
    return true;
  });
});

test('nothing that is passed in throws', async () => {
  const own = collector({ onProblem() { throw new Error('listener'); } });
  const cyclic = {};
  cyclic.self = cyclic;
  const odd = [undefined, null, 1n, Symbol('s'), cyclic, () => 1, { toJSON() { throw null; } }, new Proxy({}, { ownKeys() { throw new Error('keys'); } })];
  for (const one of odd) {
    own.recordMetric(one, 1);
    own.recordMetric('odd', one);
    own.recordMetric('odd', 1, one);
    own.recordMetric('odd', 1, undefined, one);
  }
  own.recordMetric('x'.repeat(20_000), 1);
  assert.equal(await own.flush(), true);
  const { recorded, stored, rejected, dropped } = own.counters();
  assert.equal(recorded, odd.length * 4 + 1);
  assert.equal(stored + rejected, recorded);
  assert.equal(dropped, 0);
  assert.equal(stored, await figure(gateway.url, 'name=odd&window=5m&agg=count'));
});

test('a wrong address is said at once, a foreign server is noticed', async () => {
  for (const url of ['metrics-store:4000', 'ftp://metrics-store', '/metrics', '', undefined, 'http://']) {
    assert.throws(() => module.createCollector({ url }), { name: 'BellwetherError', code: 'bad_option' });
  }
  const road = await unreliableRoad(gateway.url, () => ({ status: 200, headers: {}, body: '<!doctype html>' }));
  const own = collector({ url: `${road.url}/below/` });
  own.recordMetric('foreign', 1);
  assert.equal(await own.flush(), true);
  assert.equal(own.counters().rejected, 1);
  assert.equal(own.problems[0].code, 'no_gateway');
  await assert.rejects(own.queryMetric('foreign', { window: '5m', agg: 'avg' }), { code: 'no_gateway' });
  assert.deepEqual(road.seen.map(({ url }) => url.split('?')[0]), ['/below/ingest', '/below/query']);
  await road.close();
});

test('a number that makes no sense is said at once', () => {
  for (const name of ['batchMs', 'batchSamples', 'queueBytes', 'retryMs', 'retryMostMs', 'timeoutMs']) {
    for (const value of [0, -1, Number.NaN, 'x', '500', null]) {
      assert.throws(() => collector({ [name]: value }), { name: 'BellwetherError', code: 'bad_option' }, `${name} ${value}`);
    }
  }
});

test('a wait that no timer can hold is said at once, or held as long as one can', async () => {
  for (const name of ['batchMs', 'retryMs', 'retryMostMs', 'timeoutMs']) {
    for (const value of [2 ** 31, Infinity]) {
      assert.throws(() => collector({ [name]: value }), { code: 'bad_option', message: /at most 2147483647$/ }, `${name} ${value}`);
    }
  }
  const patient = collector({ batchMs: 2 ** 31 - 1 });
  patient.recordMetric('patient', 1);
  assert.equal(await patient.flush(Infinity), true);
});

test('a flush waits for what was recorded before, whatever is lost meanwhile', async () => {
  const road = await unreliableRoad(gateway.url, () => 'pass');
  const own = collector({ url: road.url, batchSamples: 2 });
  for (let value = 1; value <= 6; value += 1) own.recordMetric('flushed', value);
  const flushed = own.flush();
  for (let n = 0; n < 6; n += 1) own.recordMetric('x'.repeat(20_000), 1);
  assert.equal(await flushed, true);
  assert.deepEqual(own.counters(), { ...none, recorded: 12, stored: 6, rejected: 6 });
  await road.close();
});

test('a batch never has more samples than the gateway takes', async () => {
  const own = collector({ batchSamples: 1_000_000 });
  for (let value = 1; value <= 10_001; value += 1) own.recordMetric('many', 1);
  assert.equal(await own.flush(30_000), true);
  assert.deepEqual(own.counters(), { ...none, recorded: 10_001, stored: 10_001 });
});

test('the token goes along, and never in the address', async () => {
  const road = await unreliableRoad(gateway.url, () => 'pass');
  const own = collector({ url: road.url, token: 'secret' });
  own.recordMetric('token', 1);
  await own.flush();
  await own.queryMetric('token', { window: '5m', agg: 'avg' });
  assert.deepEqual(road.seen.map(({ headers }) => headers.authorization), ['Bearer secret', 'Bearer secret']);
  assert.ok(road.seen.every(({ url }) => !url.includes('secret')));
  await road.close();
});

test('a gateway that asks who is there stores what comes with its token, and refuses the rest by name', async (t) => {
  const guarded = await guardedGateway({ flags: ['--no-host-metrics'] });
  t.after(() => guarded.remove());
  const { url, tokens } = guarded;
  const sender = collector({ url, token: tokens.ingest });
  sender.recordMetric('guarded', 120);
  assert.equal(await sender.flush(), true);
  assert.deepEqual(sender.counters(), { ...none, recorded: 1, stored: 1 });
  await assert.rejects(sender.queryMetric('guarded', { window: '5m', agg: 'avg' }), { code: 'scope_missing' });
  const reader = collector({ url, token: tokens.read });
  assert.equal(await reader.queryMetric('guarded', { window: '5m', agg: 'avg' }), 120);
  for (const [token, code] of [[tokens.read, 'scope_missing'], ['another', 'bad_token'], [undefined, 'token_needed']]) {
    const stranger = collector({ url, token });
    stranger.recordMetric('guarded', 1);
    assert.equal(await stranger.flush(), true);
    assert.deepEqual(stranger.counters(), { ...none, recorded: 1, rejected: 1 });
    assert.deepEqual(stranger.problems.map(({ code, lost }) => ({ code, lost })), [{ code, lost: 1 }]);
  }
  assert.equal(await reader.queryMetric('guarded', { window: '5m', agg: 'count' }), 1);
});

test('on a road that loses requests and answers, everything is stored once', async () => {
  const plan = ['lose answer', 'lose request', { status: 429 }, { status: 502 }, { status: 504 }, 'lose answer', 'pass', 'lose answer', 'pass'];
  const road = await unreliableRoad(gateway.url, (n) => plan[n] ?? 'pass');
  const own = collector({ url: road.url, batchSamples: 10 });
  for (let value = 1; value <= 25; value += 1) own.recordMetric('once', value);
  assert.equal(await own.flush(), true);
  assert.deepEqual(own.counters(), { ...none, recorded: 25, stored: 25, retries: 7 });
  assert.equal(await figure(gateway.url, 'name=once&window=5m&agg=count'), 25);
  assert.equal(await figure(gateway.url, 'name=once&window=5m&agg=sum'), 325);
  const keys = road.seen.map(({ key }) => key.split(':'));
  assert.equal(new Set(keys.map(([sender]) => sender)).size, 1);
  assert.deepEqual(keys.map(([, counter]) => Number(counter)), [1, 1, 1, 1, 1, 1, 1, 2, 2, 3]);
  await road.close();
});

test('repetitions wait longer and longer, with jitter, and as long as they are asked to', async () => {
  const asked = [{ status: 503 }, { status: 503 }, { status: 503 }, { status: 503, headers: { 'Retry-After': '90' } }, { status: 503 }];
  const road = await unreliableRoad(gateway.url, (n) => asked[n] ?? 'pass');
  const clock = manualClock(Date.now());
  const { fetch, quiet } = watchedFetch();
  const jitter = [0, 0.5, 0, 0.5, 0];
  const own = collector({ url: road.url, clock, fetch, random: () => jitter.shift(), retryMs: 500, retryMostMs: 4_000, batchSamples: 1 });
  own.recordMetric('patient', 1);
  const waits = [];
  await quiet();
  for (let wait = clock.untilNext(); wait < Infinity; wait = clock.untilNext()) {
    waits.push(wait);
    clock.move(wait);
    await quiet();
  }
  assert.deepEqual(waits, [500, 1_250, 2_000, 112_500, 4_000]);
  assert.equal(own.counters().stored, 1);
  await road.close();
});

test('a gateway that does not answer is left after a while', async () => {
  const road = await unreliableRoad(gateway.url, () => 'pass');
  const clock = manualClock(Date.now());
  let hang = true;
  const slow = (url, init) => (hang
    ? new Promise((_, reject) => init.signal.addEventListener('abort', () => reject(init.signal.reason)))
    : fetch(url, init));
  const own = collector({ url: road.url, clock, fetch: slow, timeoutMs: 7_000, batchSamples: 1 });
  own.recordMetric('slow', 1);
  clock.move(6_999);
  assert.deepEqual(own.problems, []);
  clock.move(1);
  await until(() => own.problems.length === 1, 'the time-out is told');
  assert.equal(own.problems[0].code, 'timed_out');
  hang = false;
  clock.move(1_000);
  await until(() => own.counters().stored === 1, 'it is sent again');
  await road.close();
});

test('timers and timed work record milliseconds', async () => {
  const clock = manualClock(Date.now() - 60_000);
  const { fetch, quiet } = watchedFetch();
  const own = collector({ clock, fetch });
  const stop = own.timer('timed', { route: '/book' });
  clock.move(120);
  assert.equal(stop({ outcome: 'booked' }), 120);
  assert.equal(own.time('timed', () => { clock.move(20); return 'sync'; }), 'sync');
  assert.equal(await own.time('timed', async () => { clock.move(30); return 'async'; }), 'async');
  assert.throws(() => own.time('timed', () => { clock.move(40); throw new Error('sync'); }), { message: 'sync' });
  await assert.rejects(own.time('timed', async () => { clock.move(50); throw new Error('async'); }), { message: 'async' });
  assert.equal(own.counters().recorded, 5);
  clock.move(1_000);
  await quiet();
  assert.equal(await figure(gateway.url, 'name=timed&window=5m&agg=sum'), 260);
  assert.equal(await figure(gateway.url, 'name=timed&window=5m&agg=sum&where=outcome:booked'), 120);
});

// In its long form (`cargo xtask soak`) ten times as often.
const ROUNDS = process.env.BELLWETHER_SOAK ? 40 : 4;

test('through kill -9 and restarts under load, everything is stored once', async () => {
  const { folder, remove } = temporaryFolder();
  let own = await startGateway({ flags: ['--no-host-metrics'], dataDir: folder });
  const { port, url } = own;
  const loaded = collector({ url, batchMs: 5, batchSamples: 50, retryMostMs: 200 });
  let value = 0;
  const load = setInterval(() => {
    for (let n = 0; n < 20; n += 1) loaded.recordMetric('load', (value += 1), undefined, { kind: 'event' });
  }, 2);
  try {
    for (let round = 1; round <= ROUNDS; round += 1) {
      const { stored } = loaded.counters();
      await until(() => loaded.counters().stored > stored + 500, 'the load is taken');
      // At a moment of its own choosing, most likely with a batch under way.
      await own.kill();
      await until(() => loaded.problems.length >= round, 'the collector has noticed');
      own = await startGateway({ flags: ['--no-host-metrics'], dataDir: folder, port });
    }
    clearInterval(load);
    const counters = await loaded.close(30_000);
    assert.deepEqual(counters, { ...none, recorded: value, stored: value, retries: counters.retries });
    assert.ok(counters.retries >= ROUNDS);
    assert.equal(await figure(url, 'name=load&window=1h&agg=count'), value);
    assert.equal(await figure(url, 'name=load&window=1h&agg=sum'), (value * (value + 1)) / 2);
  } finally {
    clearInterval(load);
    await own.stop();
    remove();
  }
});

for (const [name, queueBytes] of [['nothing is lost', undefined], ['the oldest are dropped and counted', 40_000]]) {
  test(`the gateway is away for 30 minutes, and ${name}`, async () => {
    const { folder, remove } = temporaryFolder();
    let own = await startGateway({ flags: ['--no-host-metrics'], dataDir: folder });
    const { port, url } = own;
    try {
      const start = Date.now() - 31 * 60_000;
      const clock = manualClock(start);
      const { fetch, quiet } = watchedFetch();
      const away = collector({ url, clock, fetch, retryMs: undefined, ...(queueBytes && { queueBytes }) });
      const second = async (value) => {
        away.recordMetric('away', value);
        clock.move(1_000);
        await quiet();
      };
      let value = 0;
      for (; value < 10; value += 1) await second(value);
      assert.equal(away.counters().stored, 10);
      await own.stop();
      for (; value < 10 + 30 * 60; value += 1) await second(value);
      assert.equal(away.counters().stored, 10);
      own = await startGateway({ flags: ['--no-host-metrics'], dataDir: folder, port });
      for (; value < 60 + 30 * 60; value += 1) await second(value);
      const { recorded, stored, rejected, dropped, waiting } = away.counters();
      assert.deepEqual({ recorded, sum: stored + dropped, rejected, waiting }, { recorded: value, sum: value, rejected: 0, waiting: 0 });
      assert.equal(dropped > 0, queueBytes !== undefined, `${dropped} dropped`);
      // Each of them once, not only as many as there should be.
      if (dropped === 0) assert.equal(await figure(url, 'name=away&window=2h&agg=sum'), (value * (value - 1)) / 2);
      assert.equal(await figure(url, 'name=away&window=2h&agg=count'), stored);
      // The very last ones are kept, and the gap is where the oldest waited.
      assert.equal(await figure(url, 'name=away&window=2h&agg=max'), value - 1);
      assert.equal(away.problems.filter(({ code }) => code === 'queue_full').reduce((sum, { lost }) => sum + lost, 0), dropped);
    } finally {
      await own.stop();
      remove();
    }
  });
}

test('a closed collector says what became of all', async () => {
  const gone = await startGateway({ flags: ['--no-host-metrics'] });
  await gone.stop();
  const own = collector({ url: gone.url });
  own.recordMetric('closed', 1);
  own.recordMetric('closed', 2);
  assert.equal(await own.flush(100), false);
  const counters = await own.close(100);
  own.recordMetric('closed', 3);
  assert.deepEqual({ ...counters, retries: 0 }, { ...none, recorded: 2, dropped: 2 });
  assert.equal(own.counters().dropped, 3);
  assert.ok(own.problems.some(({ code, lost }) => code === 'closed' && lost > 0));
});
