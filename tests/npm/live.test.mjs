// The live client of the packed package against the real gateway, over roads that are cut.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import WebSocket from 'ws';
import { startGateway, temporaryFolder, until } from '../browser/support/gateway.mjs';
import { manualClock } from './support/collector.mjs';
import { road } from './support/cuts.mjs';
import { guardedGateway } from './support/guarded.mjs';
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

/** A WebSocket that keeps what it says, the types of what it hears, and which ones there were. */
function watched() {
  const said = [];
  const heard = [];
  const sockets = [];
  class Watched extends WebSocket {
    constructor(...parameters) {
      super(...parameters);
      sockets.push(this);
      this.addEventListener('message', ({ data }) => heard.push(typeof data === 'string' ? JSON.parse(data).type : 'binary'));
    }

    send(text) {
      said.push(JSON.parse(text));
      super.send(text);
    }
  }
  return { Watched, said, heard, sockets };
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

test('its history goes back as far as it is asked to, an hour where nobody says', async (t) => {
  await gateway.ingest([{ name: 'ago', value: 1, timestamp: Date.now() - 50 * 60_000 }, { name: 'ago', value: 2 }]);
  for (const [range, count] of [[undefined, 2], ['1h', 2], [3_600_000, 2], ['1m', 1], [60_000, 1]]) {
    const live = connected(t, gateway.url, { subscribe: [{ name: 'ago', range }] });
    await live.ready;
    assert.equal(live.query({ name: 'ago', window: '1h', agg: 'count' }).result, count, String(range));
  }
});

test('the gateway tells its alerts in the words of the engine', async (t) => {
  const { folder, remove } = temporaryFolder();
  t.after(remove);
  const query = { metric: 'alerted', window: '5m', agg: 'max', by: ['route'] };
  const rule = { name: 'Slow', query, is: 'above', threshold: 300, severity: 'ticket', summary: 'slow', labels: { team: 'booking' } };
  const board = path.join(folder, 'board.json');
  writeFileSync(board, JSON.stringify({ title: 'Alerts', rules: [rule] }));
  const own = await startGateway({ flags: [...flags, '--board', board] });
  t.after(() => own.stop());
  const live = connected(t, own.url, { subscribe: [{ name: 'alerted', range: '1h' }], prepare: (engine, hello) => engine.setBoard(hello.board) });
  const told = [];
  live.on('alerts', (alerts) => told.push(alerts));
  await live.ready;
  await own.ingest([{ name: 'alerted', value: 900, labels: { route: '/book' } }]);
  await until(() => live.alerts.length > 0, 'the gateway has told of it');
  assert.equal(told.at(-1), live.alerts);
  await settles(live, 'alerted', 1);
  live.engine.evaluate();
  const [one] = live.engine.alerts();
  const { is, threshold, annotations, ...same } = live.alerts[0];
  assert.deepEqual({ is, threshold, annotations }, { is: '>', threshold: 300, annotations: { summary: 'slow' } });
  assert.ok(Math.abs(same.firedAt - Date.now()) < 60_000);
  const still = ({ activeAt, firedAt, ...rest }) => rest;
  assert.deepEqual(still(same), still(one));
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

test('what was corrected is taken anew at once', async (t) => {
  const post = (path, body) => fetch(new URL(path, gateway.url), { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  await post('/ingest', [1, 2, 300].map((value) => ({ name: 'corrected', value, ref: `case ${value}` })));
  // Whoever were held up as after an overload, or as after a failure, would wait for minutes.
  const live = connected(t, gateway.url, { subscribe: [{ name: 'corrected', range: '1h' }], retryMs: 600_000, retryMostMs: 600_000 });
  const sum = () => live.query({ name: 'corrected', window: '1h', agg: 'sum' })?.result;
  await until(() => live.status.state === 'live', 'the history is there');
  assert.equal(sum(), 303);
  const waits = [];
  live.on('status', ({ state, retryInMs }) => state === 'waiting' && waits.push(retryInMs));
  for (const [value, expected] of [[3, 6], [4, 7]]) {
    const answer = await post('/api/v1/corrections', { ref: 'case 300', action: 'correct', value, reason: 'two zeros too many' });
    assert.equal(answer.status, 200);
    await until(() => live.status.state === 'live' && sum() === expected, `the sum is ${expected}`);
  }
  assert.equal(waits.length, 2);
  assert.ok(waits.every((wait) => wait <= 100), `${waits}`);
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
  clock.move(19_999);
  assert.equal(live.status.state, 'connecting');
  clock.move(1);
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
    ['http://x', { subscribe: [], retryMs: '500' }, 'bad_option'],
    // A timer of more ms would end at once.
    ['http://x', { subscribe: [], silenceMs: 2 ** 31 }, 'bad_option'],
    ['http://x', { subscribe: [], retryMs: 2 ** 31 }, 'bad_option'],
    ['http://x', { subscribe: [], retryMostMs: Infinity }, 'bad_option'],
    ['http://x', { subscribe: [], WebSocket: null }, 'no_websocket'],
  ]) {
    assert.throws(() => bellwether.connect(url, options), { code }, url);
  }
});

test('a gateway that asks who is there is told first of all', async (t) => {
  const guarded = await guardedGateway({ flags });
  t.after(() => guarded.remove());
  const subscribe = [{ name: 'guarded', range: '1h' }];
  const way = await road(guarded.url);
  t.after(() => way.close());
  const live = connected(t, way.url, { subscribe, token: guarded.tokens.read });
  await live.ready;
  way.cut();
  await until(() => live.status.state === 'waiting', 'the cut is noticed');
  way.mend();
  await until(() => live.status.state === 'live', 'it is let in again');
  for (const token of ['another', undefined]) {
    const stranger = connected(t, guarded.url, { subscribe, token });
    await assert.rejects(stranger.ready, { code: 'refused', message: /^token: / });
  }
  const sender = connected(t, guarded.url, { subscribe, token: guarded.tokens.ingest });
  await assert.rejects(sender.ready, { code: 'scope_missing' });
  assert.deepEqual([sender.status.state, sender.engine], ['closed', undefined]);
});

test('a token is no trouble where nobody asks for one', async (t) => {
  await gateway.ingest([{ name: 'open', value: 7 }]);
  const { Watched, said, heard } = watched();
  const live = connected(t, gateway.url, { subscribe: [{ name: 'open', range: '1h' }], token: 'a token', WebSocket: Watched });
  await live.ready;
  await settles(live, 'open', 1);
  assert.deepEqual(said.map(({ type }) => type), ['auth', 'subscribe']);
  assert.ok(!heard.includes('error'), `${heard}`);
  assert.equal(live.status.state, 'live');
});

test('a client that is closed says nothing more and frees its engine', async (t) => {
  const { Watched, sockets } = watched();
  const live = connected(t, gateway.url, { subscribe: [{ name: 'closed', range: '1h' }], WebSocket: Watched });
  await live.ready;
  const { engine } = live;
  const told = [];
  for (const event of ['update', 'status', 'alerts', 'problem']) live.on(event, () => told.push(event));
  const other = connected(t, gateway.url, { subscribe: [{ name: 'closed', range: '1h' }] });
  await other.ready;
  await until(() => told.includes('update'), 'it says something while it is open');
  const heard = live.states.length;
  live[Symbol.dispose]();
  told.length = 0;
  live.close();
  // Samples come, and who is open hears of them.
  await gateway.ingest([{ name: 'closed', value: 1 }]);
  await settles(other, 'closed', 1);
  assert.deepEqual([live.status, live.engine, told, live.states.length], [{ state: 'closed' }, undefined, [], heard + 1]);
  await until(() => sockets.every(({ readyState }) => readyState === WebSocket.CLOSED), 'its connection is gone');
  assert.throws(() => engine.metrics(), { code: 'freed' });
  const never = connected(t, gateway.url, { subscribe: [] });
  never.close();
  await assert.rejects(never.ready, { code: 'closed' });
});

test('who listens behind the one that closes the client is not told any more', async (t) => {
  const live = connected(t, gateway.url, { subscribe: [] });
  const told = [];
  for (const name of ['first', 'second']) {
    live.on('update', () => {
      told.push(name);
      live.close();
    });
  }
  await until(() => live.status.state === 'closed', 'the first has closed it');
  assert.deepEqual(told, ['first']);
});

let closing;
for (const [moment, options, close] of [
  ['while it connects', {}, (live) => live.on('status', ({ state }) => state === 'connecting' && live.close())],
  ['while it prepares an engine', { prepare: () => closing() }, (live) => { closing = () => live.close(); }],
  ['as soon as the gateway has spoken', {}, (live) => live.on('status', ({ state }) => state === 'filling' && live.close())],
  ['as soon as its history is there', {}, (live) => live.on('status', ({ state }) => state === 'live' && live.close())],
]) {
  test(`a client that is closed ${moment} leaves no connection and no engine behind`, async (t) => {
    const { Watched, sockets } = watched();
    const engines = [];
    const live = connected(t, gateway.url, {
      subscribe: [{ name: 'closed_early', range: '1h' }], WebSocket: Watched, ...options,
      prepare(engine) {
        engines.push(engine);
        options.prepare?.();
      },
    });
    close(live);
    await assert.rejects(live.ready, { code: 'closed' });
    assert.equal(live.states.at(-1), 'closed');
    // Longer than it takes others to be live.
    await connected(t, gateway.url, { subscribe: [] }).ready;
    assert.deepEqual(live.status, { state: 'closed' });
    assert.equal(live.states.filter((state) => state === 'closed').length, 1);
    await until(() => sockets.every(({ readyState }) => readyState === WebSocket.CLOSED), 'its connection is gone');
    for (const engine of engines) assert.throws(() => engine.metrics(), { code: 'freed' });
  });
}

test('what `prepare` throws is told as its own', async (t) => {
  const cause = new TypeError('hello.bord is undefined');
  const live = connected(t, gateway.url, { subscribe: [], prepare() { throw cause; } });
  await assert.rejects(live.ready, { code: 'prepare_failed', message: '`prepare` threw: hello.bord is undefined', cause });
  assert.equal(live.status.state, 'closed');
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
