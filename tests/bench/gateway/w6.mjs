// W6: the gateway beside Debian's Prometheus and VictoriaMetrics, and beside npm's `ws`. What counts is the processor
// time of the server for each sample or message, which does not depend on how fast the load comes; it is read from
// /proc, also of what the server goes on doing after its last answer.
import { setTimeout as sleep } from 'node:timers/promises';
import { delay, ingest, viewers } from './load.mjs';
import { withServer } from './servers.mjs';
import { disk } from './disk.mjs';
import { queryOfADay } from './day.mjs';

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

/** How much is done in the full form and in the quick one, which only shows that it works. */
export const sizes = {
  full: { seconds: 5, settleSeconds: 3, rounds: 3, viewers: 200, rate: 100, stepSeconds: 8, stepViewers: 1_000, delayViewers: 500, delaySeconds: 20, day: 86_400, queries: 200, diskMinutes: 5 },
  quick: { seconds: 1, settleSeconds: 0, rounds: 1, viewers: 5, rate: 20, stepSeconds: 2, stepViewers: 5, delayViewers: 5, delaySeconds: 2, day: 3_600, queries: 5, diskMinutes: 0 },
};

/** One server under remote write: microseconds of its processor for each sample that it answered for. */
async function written(key, size, shape) {
  // What it would store of this machine by itself is not to be counted with the load.
  return withServer(key, { flags: key === 'bellwether' ? ['--no-host-metrics'] : [] }, async (server) => {
    await sleep(500);
    const before = server.cpu();
    const told = await ingest(server, { seconds: size.seconds, ...shape });
    const answered = server.cpu();
    await sleep(size.settleSeconds * 1000);
    const after = server.cpu();
    const micros = (from, to) => ((to - from) * 1e6) / told.samples;
    const stored = await server.stored();
    if (told.refused > 0 || stored < told.samples) throw new Error(`${key}: ${told.refused} refused, ${stored} of ${told.samples} stored`);
    return {
      key,
      title: server.title,
      version: server.version,
      micros: micros(before, answered),
      settledMicros: micros(before, after),
      samplesASecond: told.samples / told.seconds,
      p50Ms: told.p50Ms,
      p99Ms: told.p99Ms,
      memoryMb: server.memoryMb(),
    };
  });
}

/** Rounds take turns, so that what else the machine does falls on all alike; each figure is the median of its rounds. */
async function takingTurns(keys, rounds, run, told) {
  const all = new Map(keys.map((key) => [key, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const key of keys) {
      const one = await run(key);
      told(`${key}: ${one.micros.toFixed(3)} µs`);
      all.get(key).push(one);
    }
  }
  return keys.map((key) => {
    const of = all.get(key);
    const middle = (name) => median(of.map((each) => each[name]));
    return Object.fromEntries(Object.entries(of[0]).map(([name, value]) => [name, typeof value === 'number' ? middle(name) : value]));
  });
}

const writeColumns = [
  ['µs of processor a sample, ours = 1', 'ratio'],
  ['µs a sample until the last answer', 'micros'],
  ['µs a sample, and what it does afterwards', 'settledMicros'],
  ['samples a second', 'samplesASecond'],
  ['answer p50 ms', 'p50Ms'],
  ['answer p99 ms', 'p99Ms'],
  ['memory MB', 'memoryMb'],
];

async function remoteWrite(size, told, who = ['bellwether', 'prometheus', 'victoria']) {
  const sections = [];
  for (const [title, shape] of [
    ['1,000 samples of 100 series a request, 4 connections', { connections: 4, batch: 1000, series: 100 }],
    ['the same on 1 connection', { connections: 1, batch: 1000, series: 100 }],
    ['2,000 samples of 2,000 series a request, one of each, 4 connections', { connections: 4, batch: 2000, series: 2000 }],
  ]) {
    const rows = await takingTurns(who, size.rounds, (key) => written(key, size, shape), told);
    for (const row of rows) row.ratio = row.micros / rows[0].micros;
    sections.push({ title: `W6: remote write, ${title}`, columns: writeColumns, rows });
  }
  return sections;
}

/** 100 samples a message, as our viewers get them, `rate` times a second. */
async function publish(server, seconds, rate, send) {
  const began = performance.now();
  let sent = 0;
  while (performance.now() - began < seconds * 1000) {
    const due = began + (sent * 1000) / rate;
    const early = due - performance.now();
    if (early > 1) await sleep(early);
    await send(sent);
    sent += 1;
  }
  return sent;
}

const SERIES = 100;

/** A body of /ingest: a sample of each series. */
function body(number, at) {
  const sample = (place) => ({ name: 'load_ms', value: 20 + ((number * 31 + place * 17) % 40_000) / 1000, timestamp: at, labels: { host: `web-${place}` } });
  return JSON.stringify(Array.from({ length: SERIES }, (_, place) => sample(place)));
}

const post = async (server, text) => {
  const answer = await fetch(`http://${server.at}/ingest`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: text });
  if (answer.status !== 204) throw new Error(`/ingest answered ${answer.status}`);
  await answer.arrayBuffer();
};

const subscribe = (step) => JSON.stringify({ type: 'subscribe', id: 1, metrics: [{ name: 'load_ms', range: '1m' }], step, format: 'binary' });

/** Sends for a while to so many viewers; what they got, and the processor time of the server. */
async function watched(server, size, { many, path, protocol, say, send, seconds }) {
  const crowd = many > 0 ? await viewers(server, { path, viewers: many, seconds, protocol, say }) : undefined;
  let isOver = false;
  const sending = publish(server, seconds + 3, size.rate, send).finally(() => { isOver = true; });
  await sleep(1500);
  // The thread of ours that writes to viewers.
  const courier = () => (server.key === 'bellwether' ? server.cpuOf('courier') : 0);
  const [before, carried] = [server.cpu(), courier()];
  const counted = crowd ? crowd.count() : sleep(seconds * 1000).then(() => ({ messages: 0, bytes: 0, closed: 0, seconds }));
  const told = await counted;
  const [cpu, carrying] = [server.cpu() - before, courier() - carried];
  const wasSending = !isOver;
  await sending;
  await crowd?.end();
  if (!wasSending || told.closed > 0) throw new Error(`${server.key}: ${told.closed} viewers were closed`);
  return { ...told, cpu, carrying };
}

/** A message to each viewer, again and again; `many` may be none, who cost nothing. */
async function sentTo(many, key, size, bytes) {
  return withServer(key, { flags: key === 'bellwether' ? ['--no-host-metrics'] : [] }, async (server) => {
    const shape = { many, seconds: size.seconds, path: '/ws' };
    let told;
    if (key === 'bellwether') {
      await post(server, body(0, Date.now()));
      const send = (number) => post(server, body(number, Date.now()));
      told = await watched(server, size, { ...shape, protocol: 'bellwether.v1', say: subscribe('raw'), send });
    } else {
      const socket = new (await import('ws')).WebSocket(`ws://${server.at}/publish`);
      await new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject));
      const message = Buffer.alloc(bytes, 7);
      told = await watched(server, size, { ...shape, send: async () => socket.send(message) });
      socket.terminate();
    }
    return { ...told, title: server.title, version: server.version, memoryMb: server.memoryMb() };
  });
}

async function fanned(key, size, bytes) {
  const told = await sentTo(size.viewers, key, size, bytes);
  const alone = await sentTo(0, key, size, bytes);
  const each = (cpuASecond) => (cpuASecond * 1e6 * told.seconds) / told.messages;
  const all = each(told.cpu / told.seconds);
  return {
    key,
    title: key === 'bellwether' ? 'bellwether, each message on disk first' : told.title,
    version: told.version,
    micros: all,
    viewersMicros: all - each(alone.cpu / alone.seconds),
    messagesASecond: told.messages / told.seconds,
    bytes: told.bytes / told.messages,
    memoryMb: told.memoryMb,
  };
}

async function fanOut(size, told) {
  // What ours sends for 100 samples: the other sends as much.
  const first = await sentTo(size.viewers, 'bellwether', { ...size, seconds: 1 }, 0);
  const bytes = Math.round(first.bytes / first.messages);
  const rows = await takingTurns(['bellwether', 'ws'], size.rounds, (key) => fanned(key, size, bytes), told);
  for (const row of rows) row.ratio = row.micros / rows[0].micros;
  return [{
    title: `W6: one message of 100 samples to ${size.viewers} viewers, ${size.rate} times a second`,
    columns: [
      ['µs of processor a delivered message, ours = 1', 'ratio'],
      ['µs a delivered message', 'micros'],
      ['µs of it that viewers cost', 'viewersMicros'],
      ['delivered messages a second', 'messagesASecond'],
      ['bytes a message', 'bytes'],
      ['memory MB', 'memoryMb'],
    ],
    rows,
    note: 'Ours decodes the samples, has them on disk and in its engine and encodes them anew; the other passes bytes on. What viewers cost is what is left when as many messages with nobody watching are taken away.',
  }];
}

/** What viewers with a step of a second cost, at two rates of samples. */
async function steps(size, told) {
  const seconds = size.stepSeconds;
  const one = (times) => withServer('bellwether', { flags: ['--no-host-metrics'] }, async (server) => {
    await post(server, body(0, Date.now()));
    const send = (number) => post(server, body(number, Date.now()));
    return watched(server, { ...size, rate: times }, { many: size.stepViewers, seconds, path: '/ws', protocol: 'bellwether.v1', say: subscribe('1s'), send });
  });
  const rows = [];
  for (const times of [1, 100]) {
    const { carrying, cpu, messages, bytes } = await one(times);
    const each = (value) => value / (size.stepViewers * seconds);
    const row = { key: `x${times}`, title: `${times * SERIES} samples a second`, version: '', micros: each(carrying * 1e6), wholeMs: (cpu * 1e3) / seconds, messages: each(messages), bytes: each(bytes) };
    told(`step 1 s at ${row.title}: ${row.micros.toFixed(1)} µs a viewer and second`);
    rows.push(row);
  }
  for (const row of rows) row.ratio = row.micros / rows[0].micros;
  return [{
    title: `W6: a viewer with a step of 1 s of ${SERIES} series, at 1 and at 100 times the rate of samples`,
    columns: [
      ['processor, at the lower rate = 1', 'ratio'],
      ['µs a viewer and second', 'micros'],
      ['messages a viewer and second', 'messages'],
      ['bytes a viewer and second', 'bytes'],
      ['ms of the whole gateway a second', 'wholeMs'],
    ],
    rows,
    note: `Of ${size.stepViewers} viewers. What a viewer costs is the processor time of the thread that writes to them, which does nothing else; beside it the gateway takes, stores and shows the samples, for however many. A time bucket of one sample is sent as that sample; with more, its sketch bounds what is sent.`,
  }];
}

/** How long after the sender's answer viewers have a value, when one of them takes nothing and one keeps coming anew. */
async function delays(size, told) {
  const rows = [];
  for (const rate of [10, 100]) {
    const shape = { viewers: size.delayViewers, seconds: size.delaySeconds, rate };
    const found = await withServer('bellwether', { flags: ['--no-host-metrics'] }, (server) => delay(server, shape));
    if (found.missing > 0) throw new Error(`${found.missing} values did not come`);
    told(`delay at ${rate} a second: p99 ${found.p99Ms} ms`);
    rows.push({ key: `rate${rate}`, title: `${rate} messages a second`, version: '', ...found });
  }
  return [{
    title: `W6: how long after the sender's answer ${size.delayViewers} viewers have a value`,
    columns: [['p50 ms', 'p50Ms'], ['p99 ms', 'p99Ms'], ['longest ms', 'maxMs'], ['messages', 'messages'], ['comings', 'comings']],
    rows,
    note: 'One of the viewers takes nothing, and one goes and comes anew each second; of all others each gets each message. A value that came before the answer counts as 0. What reads runs on the same machine: its threads wait for the processor too.',
  }];
}

export const parts = { 'w6-write': remoteWrite, 'w6-fanout': fanOut, 'w6-query': queryOfADay, 'w6-disk': disk, 'w6-step': steps, 'w6-delay': delays };
