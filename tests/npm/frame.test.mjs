// The reader of binary frames: what a gateway sends is what was recorded, and what is no frame is refused.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import WebSocket from 'ws';
import { startGateway, until } from '../browser/support/gateway.mjs';
import { project } from './support/project.mjs';

const golden = Uint8Array.from(
  Buffer.from(readFileSync(path.join(import.meta.dirname, '../golden/wire/frame-v1.hex'), 'utf8').replace(/\s/g, ''), 'hex'),
);

let consumer;
let frameReader;
let BellwetherError;
before(async () => {
  consumer = await project('live');
  const entry = path.join(consumer.folder, 'node_modules/bellwether/frame.js');
  ({ frameReader, BellwetherError } = await import(pathToFileURL(entry)));
});
after(() => consumer?.remove());

test('a frame that must be readable for ever', () => {
  const reader = frameReader();
  const columns = reader.read(golden);
  const { series, timestampsMs, values, ...header } = columns;
  assert.deepEqual(header, { epoch: 1_700_000_000_000, seq: 42, subscription: 7, history: true, more: false, summaries: 2 });
  assert.deepEqual(reader.series, [
    { name: 'booking_response_time', labels: { Zone: 'eu', route: '/book' }, kind: 'observation' },
    { name: 'change', labels: {}, kind: 'gauge' },
    { name: 'conflict', labels: { route: '/book' }, kind: 'event' },
    { name: 'requests_total', labels: {}, kind: 'counter' },
  ]);
  assert.deepEqual([...series], [0, 2, 2, 3]);
  assert.deepEqual([...timestampsMs].map((ms) => ms - 1_700_000_000_000), [500, 1_000, 2_000, 1_000]);
  assert.deepEqual([...values], [120, 1, 1, -0]);
  assert.deepEqual(reader.read(golden), columns);
  assert.equal(reader.series.length, 4, 'a series keeps its place');
});

test('the raw feed of a real gateway', async (t) => {
  const gateway = await startGateway({ flags: ['--no-host-metrics'] });
  t.after(() => gateway.stop());
  const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/ws`, 'bellwether.v1');
  socket.binaryType = 'arraybuffer';
  t.after(() => socket.terminate());
  const reader = frameReader();
  const frames = [];
  const told = [];
  socket.onmessage = ({ data: frame }) => {
    if (typeof frame === 'string') told.push(JSON.parse(frame).type);
    else frames.push(reader.read(new Uint8Array(frame)));
  };
  await until(() => told.includes('hello'), 'the gateway speaks');
  socket.send(JSON.stringify({ type: 'subscribe', id: 3, metrics: [{ name: 'raw' }], step: 'raw', format: 'binary' }));
  await until(() => told.includes('subscribed'), 'it is subscribed');
  const labels = [{}, { route: '/book' }, { route: '/Büro €', toString: 'x', host: 'a' }, { host: 'x'.repeat(2_000) }];
  const start = Date.now() - 60_000;
  const samples = Array.from({ length: 3_000 }, (_, place) => ({
    name: 'raw', value: place % 7 === 0 ? 0 : (place - 1_500) * 1.5e-7, timestamp: start + place, labels: labels[place % 4], kind: 'gauge',
  }));
  for (let place = 0; place < samples.length; place += 1_000) await gateway.ingest(samples.slice(place, place + 1_000));
  const count = () => frames.reduce((all, { values }) => all + values.length, 0);
  await until(() => count() >= samples.length, 'all samples came');
  const got = frames.flatMap(({ series, timestampsMs, values }) =>
    Array.from(values, (value, place) => ({ value, timestamp: timestampsMs[place], ...reader.series[series[place]] })));
  assert.deepEqual(got.toSorted((one, other) => one.timestamp - other.timestamp), samples);
  assert.equal(reader.series.length, labels.length);
  for (const { subscription, history, summaries } of frames) assert.deepEqual([subscription, history, summaries], [3, false, 0]);
  const orders = frames.map(({ seq }) => seq);
  assert.deepEqual(orders, orders.toSorted((one, other) => one - other));
});

test('labels of any name are labels', () => {
  // One sample of {__name__="m", __proto__="p"}, whose texts stand behind it.
  const text = (words) => words.flatMap((word) => [34, word.length, ...Buffer.from(word)]);
  const series = [10, 4, 1, 2, 3, 4, 18, 2, 16, 5];
  const reader = frameReader();
  const { values, timestampsMs } = reader.read(Uint8Array.from([42, series.length, ...series, ...text(['', '__name__', 'm', '__proto__', 'p'])]));
  assert.deepEqual([[...values], [...timestampsMs]], [[0], [5]]);
  assert.deepEqual(Object.entries(reader.series[0].labels), [['__proto__', 'p']]);
  assert.equal(reader.series[0].kind, undefined);
});

test('what is no frame is refused, and the reader goes on', () => {
  const reader = frameReader();
  const expected = frameReader().read(golden);
  let refused = 0;
  const attempt = (bytes) => {
    try {
      reader.read(bytes);
    } catch (error) {
      assert.ok(error instanceof BellwetherError && error.code === 'bad_frame', String(error));
      refused += 1;
    }
  };
  for (const odd of [undefined, null, 'text', [], new Float64Array(2), new ArrayBuffer(8)]) attempt(odd);
  // A text that is not UTF-8, a series without a name, one with half a label, and one whose label has no text.
  const one = (...refs) => [42, refs.length + 2, 10, refs.length, ...refs];
  const name = [34, 8, ...Buffer.from('__name__')];
  for (const bytes of [[34, 1, 255], one(0, 0).concat(34, 0), [...name, ...one(0)], [...name, ...one(0, 1)]]) attempt(Uint8Array.from(bytes));
  assert.equal(refused, 10);
  for (let end = 1; end < golden.length; end += 1) attempt(golden.subarray(0, end));
  for (let place = 0; place < golden.length; place += 1) {
    for (const bit of [1, 16, 128]) attempt(golden.map((byte, at) => (at === place ? byte ^ bit : byte)));
  }
  attempt(new Uint8Array(1_000).fill(255));
  assert.ok(refused > golden.length, `${refused} of them were refused`);
  const { series, ...rest } = reader.read(golden);
  const { series: places, ...same } = expected;
  assert.deepEqual(rest, same);
  assert.deepEqual([...series].map((place) => reader.series[place].name), [...places].map((place) => ['booking_response_time', 'change', 'conflict', 'requests_total'][place]));
});
