// The packed package in Node: as an ES module, with require(), in a worker thread.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { project } from './support/project.mjs';

async function printed(name, main) {
  const consumer = await project(name);
  try {
    const { stdout, stderr } = await consumer.node(main);
    assert.equal(stderr, '');
    return JSON.parse(stdout);
  } finally {
    consumer.remove();
  }
}

test('an ES module records and queries a window', async () => {
  const said = await printed('esm', 'main.mjs');
  assert.deepEqual(said.early, { is: true, code: 'not_initialized' });
  assert.equal(said.p95.count, 100);
  assert.equal(said.p95.from, 1_800_000_000_000 - 300_000);
  assert.equal(said.p95.to, 1_800_000_000_000);
  // Rank floor(0.95 · 99) of 1 … 100 is 95.
  assert.ok(Math.abs(said.p95.result - 95) <= 95 * said.p95.relativeError + 1e-9, `p95 ${said.p95.result}`);
  assert.ok(said.p95.relativeError < 0.01);
  assert.deepEqual(said.groups, [
    { labels: { host: 'a' }, result: 2_500 },
    { labels: { host: 'b' }, result: 2_550 },
  ]);
  assert.equal(said.receipt.accepted, 1);
  assert.equal(said.receipt.rejected, 1);
  assert.deepEqual(said.receipt.rejections.map(({ index, code }) => ({ index, code })), [{ index: 1, code: 'bad_value' }]);
  assert.deepEqual(said.refused, { is: true, code: 'kind_conflict', name: 'BellwetherError', stack: true });
  assert.equal(said.series, 3);
  assert.deepEqual(said.freed, ['freed', 'freed']);
});

test('a series that is recorded again is judged as it was the first time', async () => {
  const said = await printed('again', 'main.mjs');
  const both = (code) => [code, code];
  assert.deepEqual(said.same, Array(5).fill(both('recorded')));
  assert.deepEqual(said.alike, Array(3).fill(both('recorded')));
  assert.deepEqual(said.refused, [
    'bad_value', 'bad_value', 'bad_timestamp', 'bad_timestamp', 'bad_timestamp', 'too_new', 'too_late', 'unknown_option', 'bad_labels',
    'kind_conflict', 'bad_kind', 'bad_name',
  ].map(both));
  assert.deepEqual(said.units, [both('recorded'), both('unit_conflict'), both('recorded')]);
  assert.deepEqual(said.board, ['recorded', 'unit_conflict', 'recorded']);
  assert.deepEqual(said.counts, [10, 4, 2, 2, 2, 3]);
  assert.equal(said.at, 1);
  assert.deepEqual(said.many, [100_001, 200_002]);
  assert.equal(said.freed, 'freed');
});

test('require() gives the same engine', async () => {
  assert.deepEqual(await printed('commonjs', 'main.cjs'), { result: 130, error: true });
});

test('a worker thread has an engine of its own', async () => {
  const { result, count } = await printed('worker', 'main.mjs');
  assert.deepEqual({ result, count }, { result: 10, count: 4 });
});

test('a board is watched, a snapshot is restored, and every class says when it cannot serve', async () => {
  assert.deepEqual(await printed('board', 'main.mjs'), {
    early: ['not_initialized', 'not_initialized', 'not_initialized', 'not_initialized'],
    told: [['firing', 300, 1], ['resolved', null, 1]],
    again: ['firing'],
    thrown: Array(3).fill('a listener that fails'),
    result: 700,
    copies: ['Sketch', 'Sketch', 'Engine', 'Own'],
    isOwn: true,
    freed: 'freed',
  });
});

test('whatever is passed in, what is thrown is a BellwetherError, and the engine stays whole', async () => {
  const { found, refused, answered } = await printed('hostile', 'main.mjs');
  assert.deepEqual(found, []);
  assert.ok(refused > 1_000 && answered > 100, `${refused} refused, ${answered} answered`);
});
