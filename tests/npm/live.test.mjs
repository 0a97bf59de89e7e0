// The live client of the packed package against the real gateway, over roads that are cut.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import WebSocket from 'ws';
import { startGateway, temporaryFolder, until } from '../browser/support/gateway.mjs';
import { manualClock } from './support/collector.mjs';
import { road } from './support/cuts.mjs';
import { project } from './support/project.mjs';

const flags = ['--no-host-metrics'];
let gateway;
let consumer;
let bellwether;
before(async () => {
  gateway = await startGateway({ flags });
  consumer = await project('live');
  const entry = (name) => import(pathToFileURL(path.join(consumer.folder, 'node_modules/bellwether', name)));
  bellwether = { ...(await entry('node.js')), ...(await entry('live-node.js')) };
});
after(async () => {
  await gateway?.stop();
  consumer?.remove();
});

/** A WebSocket that keeps what it says and the types of what it hears. */
function watched() {
  const said = [];
  const heard = [];
  class Watched extends WebSocket {
    constructor(...parameters) {
      super(...parameters);
      this.addEventListener('message', ({ data }) => heard.push(typeof data === 'string' ? JSON.parse(data).type : 'binary'));
    }

    send(text) {
      said.push(JSON.parse(text));
      super.send(text);
    }
  }
  return { Watched, said, heard };
}

/** A live client that is closed when the test ends; its states are kept. */
function connected(t, url, options) {
  const live = bellwether.connect(url, { WebSocket, retryMs: 20, ...options });
  const states = [];
  live.on('status', ({ state }) => states.push(state));
  t.after(() => live.close());
  return Object.assign(live, { states });
}

/** How many samples of a metric a client has, once that is what it should be; a while later still. */
async function settles(live, name, count) {
  const found = () => live.query({ name, window: '1h', agg: 'count' })?.count;
  await until(() => found() >= count, `${count} samples of ${name} are there; there are ${found()}`);
  let updates = 0;
  const stop = live.on('update', () => { updates += 1; });
  await until(() => updates >= 2, 'two more updates came');
  stop();
  assert.equal(found(), count);
}

test('the page of a gateway and its client say the same, from the history on', async (t) => {
  const values = Array.from({ length: 200 }, (_, place) => 100 + ((place * 7) % 90));
  const samples = (list) => list.map((value) => ({ name: 'booking', value, labels: { route: value % 2 ? '/a' : '/b' } }));
  await gateway.ingest(samples(values.slice(0, 120)));
  const live = connected(t, gateway.url, { subscribe: [{ name: 'booking', range: '1h' }] });
  assert.deepEqual([live.status, live.engine, live.query({ name: 'booking', window: '1h', agg: 'avg' })], [{ state: 'connecting' }, undefined, undefined]);
  await live.ready;
  assert.deepEqual(live.states, ['connecting', 'filling', 'live']);
  assert.equal(live.hello.title, 'Bellwether');
  assert.ok(Array.isArray(live.alerts));
  await gateway.ingest(samples(values.slice(120)));
  await settles(live, 'booking', 200);
  for (const agg of ['avg', 'p50', 'p99', 'stddev', 'max']) {
    const own = live.query({ name: 'booking', window: '1h', agg }).result;
    const theirs = (await (await fetch(`${gateway.url}/query?name=booking&window=1h&agg=${agg}`)).json()).result;
    assert.ok(Math.abs(own - theirs) <= 1e-9 * theirs, `${agg}: ${own}, ${theirs}`);
  }
  const { groups } = live.query({ name: 'booking', window: '1h', agg: 'count', by: ['route'] });
  assert.deepEqual(groups.map(({ labels, count }) => [labels.route, count]).toSorted(), [['/a', 89], ['/b', 111]].map(([route]) => [route, values.filter((value) => (value % 2 ? '/a' : '/b') === route).length]));
  assert.ok(Math.abs(live.now() - Date.now()) < 5_000);
});

for (const step of ['1s', 'raw']) {
  test(`what comes while it is cut off is there once it is back, once (${step})`, async (t) => {
    const name = `cut_${step}`;
    const way = await road(gateway.url);
    t.after(() => way.close());
    const { Watched, said, heard } = watched();
    await gateway.ingest([{ name, value: 1 }]);
    const live = connected(t, way.url, { subscribe: [{ name, range: '1h' }], step, WebSocket: Watched });
    await live.ready;
    const first = live.engine;
    let count = 1;
    for (let round = 0; round < 5; round += 1) {
      await gateway.ingest([{ name, value: 2 }, { name, value: 3, timestamp: Date.now() - 700_000 }]);
      count += 2;
      await until(() => live.query({ name, window: '1h', agg: 'count' }).count === count, 'it is live');
      way.cut();
      await until(() => live.status.state === 'waiting', 'the cut is noticed');
      assert.equal(live.status.reason.code, 'unreachable');
      await gateway.ingest([{ name, value: 4 }, { name, value: 5, timestamp: Date.now() - 90_000 }]);
      count += 2;
      way.mend();
      await until(() => live.status.state === 'live', 'it is back');
    }
    await settles(live, name, count);
    assert.equal(live.engine, first, 'it went on with what it had');
    assert.deepEqual(said.map(({ resume }) => Boolean(resume)), [false, true, true, true, true, true]);
    assert.ok(!heard.includes('gap'));
  });
}

test('a gateway that was restarted sends its history anew, and figures stay until it is there', async (t) => {
  const { folder, remove } = temporaryFolder();
  t.after(remove);
  let own = await startGateway({ flags, dataDir: folder });
  const { Watched, heard } = watched();
  await own.ingest([{ name: 'kept', value: 1 }, { name: 'kept', value: 3 }]);
  const prepared = [];
  const live = connected(t, own.url, {
    subscribe: [{ name: 'kept', range: '1h' }], WebSocket: Watched,
    prepare: (engine, hello) => {
      engine.setBoard(hello.board);
      prepared.push(engine);
    },
  });
  await live.ready;
  await own.kill();
  await until(() => live.status.state === 'waiting', 'it is away');
  assert.equal(live.query({ name: 'kept', window: '1h', agg: 'avg' }).result, 2);
  own = await startGateway({ flags, dataDir: folder, port: own.port });
  t.after(() => own.stop());
  await own.ingest([{ name: 'kept', value: 5 }]);
  await until(() => live.status.state === 'live', 'it is back');
  await settles(live, 'kept', 3);
  assert.ok(heard.includes('gap'));
  assert.equal(prepared.length, 2);
  assert.equal(live.engine, prepared[1]);
  assert.throws(() => prepared[0].metrics(), { code: 'freed' }, 'the engine before takes no memory any more');
});

test('the gateway is tried again after waits that double and are partly random', async (t) => {
  const clock = manualClock(0);
  class Unreachable {
    constructor() {
      queueMicrotask(() => this.onclose?.({ code: 1006, reason: '' }));
    }

    close() {}
  }
  const waits = [];
  const randoms = [0, 1 - Number.EPSILON];
  const live = bellwether.connect('http://gateway.invalid', {
    subscribe: [], WebSocket: Unreachable, clock, retryMs: 500, retryMostMs: 4_000, random: () => randoms[waits.length % 2],
  });
  t.after(() => live.close());
  const failed = () => until(() => live.status.state === 'waiting', 'it failed');
  for (let attempt = 0; attempt < 6; attempt += 1) {
    await failed();
    waits.push(live.status.retryInMs);
    assert.equal(clock.untilNext(), live.status.retryInMs);
    clock.move(live.status.retryInMs);
  }
  assert.deepEqual(waits, [250, 1_000, 1_000, 4_000, 2_000, 4_000]);
});

test('a gateway that says nothing is given up', async (t) => {
  const clock = manualClock(0);
  class Silent {
    send() {}
    close() {}
  }
  const live = bellwether.connect('http://gateway.invalid', { subscribe: [], WebSocket: Silent, clock });
  t.after(() => live.close());
  await until(() => clock.untilNext() < Infinity, 'it connects');
  clock.move(15_000);
  assert.deepEqual([live.status.state, live.status.reason.code], ['waiting', 'timed_out']);
});

test('what is for good is told, and what is left out', async (t) => {
  const at = (subscribe, options) => connected(t, gateway.url, { subscribe, ...options });
  const wrong = at([{ name: '' }]);
  await assert.rejects(wrong.ready, (error) => error instanceof bellwether.BellwetherError && error.code === 'bad_frame');
  assert.deepEqual([wrong.status.state, wrong.status.error.code], ['closed', 'bad_frame']);

  const many = Array.from({ length: 2_001 }, (_, place) => ({ name: 'many', value: 1, labels: { place: String(place) } }));
  await gateway.ingest([...many, { name: 'few', value: 1 }]);
  const partly = at([{ name: 'many', range: '1h' }, { name: 'few', range: '1h' }]);
  const problems = [];
  partly.on('problem', ({ code }) => problems.push(code));
  await partly.ready;
  assert.deepEqual(problems, ['too_many_series']);
  assert.equal(partly.query({ name: 'few', window: '1h', agg: 'count' }).count, 1);

  for (const [url, options, code] of [
    ['mailto:a@example.org', { subscribe: [] }, 'bad_option'],
    ['http://x', {}, 'bad_option'],
    ['http://x', { subscribe: [], retryMs: 0 }, 'bad_option'],
    ['http://x', { subscribe: [], WebSocket: null }, 'no_websocket'],
  ]) {
    assert.throws(() => bellwether.connect(url, options), { code }, url);
  }
});

test('a gateway that asks who is there is told first of all', async (t) => {
  const { folder, remove } = temporaryFolder();
  t.after(remove);
  const tokens = path.join(folder, 'tokens');
  const secret = createHash('sha256').update('a token of forty letters, or some more').digest('hex');
  writeFileSync(tokens, `all ingest,read sha256:${secret}\n`, { mode: 0o600 });
  const guarded = await startGateway({ flags: [...flags, '--tokens', tokens] });
  t.after(() => guarded.stop());
  const subscribe = [{ name: 'guarded', range: '1h' }];
  const known = connected(t, guarded.url, { subscribe, token: 'a token of forty letters, or some more' });
  await known.ready;
  const stranger = connected(t, guarded.url, { subscribe, token: 'another' });
  await assert.rejects(stranger.ready, { code: 'refused', message: /^token: / });
});

test('a client that is closed says nothing more and frees its engine', async (t) => {
  const live = connected(t, gateway.url, { subscribe: [{ name: 'closed', range: '1h' }] });
  await live.ready;
  const { engine } = live;
  let told = 0;
  live.on('update', () => { told += 1; });
  live[Symbol.dispose]();
  live.close();
  assert.deepEqual([live.status, live.engine, told], [{ state: 'closed' }, undefined, 0]);
  assert.throws(() => engine.metrics(), { code: 'freed' });
  const never = connected(t, gateway.url, { subscribe: [] });
  never.close();
  await assert.rejects(never.ready, { code: 'closed' });
});

test('a frame that is none is refused', async () => {
  await bellwether.init();
  const engine = new bellwether.Engine();
  for (const frame of [new Uint8Array([255, 255]), 'text', undefined, new Float64Array(2)]) {
    assert.throws(() => engine.mergeFrame(frame), { code: 'bad_frame' });
  }
  assert.deepEqual(engine.mergeFrame(new Uint8Array()), { accepted: 0, rejected: 0, rejections: [] });
  engine.free();
});
