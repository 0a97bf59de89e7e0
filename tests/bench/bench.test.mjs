// What the bench measures must be right; how long it takes is not a matter for tests.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { bench } from './bench.mjs';
import { contenders } from './contenders.mjs';
import { errors, rankError, sortedValues, valueError } from './lib/exact.mjs';
import { responseTimes } from './lib/generate.mjs';
import { merged, report } from './report.mjs';

/** The published bound of the sketch's default scale. */
const VALUE_ERROR = 0.0055;

/** What ours did at a workload's quick form, and what the report says of it. */
async function ours(name, key) {
  const measured = await bench({ size: 'quick', only: [name], who: [key] });
  const [result] = measured.workloads[0].results;
  assert.equal(result.failure, undefined);
  assert.ok(report(measured).includes(`| ${contenders[key].title} |`));
  return result;
}

for (const [name, key] of [['ingest', 'bellwether'], ['ingest', 'own-sketches'], ['window-fast', 'bellwether'], ['window-slow', 'bellwether']]) {
  test(`${name}: ${key} answers right, whole and for every series`, async () => {
    const { isWhole = true, errors: worst } = await ours(name, key);
    assert.ok(isWhole);
    assert.equal(worst.count, 0);
    assert.ok(worst.avg <= 1e-9, `averages are off by ${worst.avg}`);
    assert.ok(worst.value <= VALUE_ERROR, `values are off by ${worst.value}`);
  });
}

for (const key of ['own-frames', 'json', 'json-columns']) {
  test(`decode: ${key} finds every sample`, async () => {
    const { wrong, series } = await ours('decode', key);
    assert.ok(wrong < 1e-12, `sums are off by ${wrong}`);
    assert.equal(series, 100);
  });
}

test('downsample: the points draw the same line', async () => {
  const { points, envelopeError } = await ours('downsample', 'own-points');
  assert.ok(points > 500 && points <= 4 * 500, `${points} points`);
  assert.ok(envelopeError < 1e-9, `the line is off by ${envelopeError}`);
});

test('series: one of many is found and answered', async () => {
  assert.ok((await ours('series', 'own-series')).engineMb > 0);
});

test('rules: every second one fires', async () => {
  assert.equal((await ours('rules', 'own-rules')).fired, 50);
});

test('the others work', async () => {
  const { workloads: measured } = await bench({ size: 'quick', only: ['ingest'] });
  for (const { key, failure, errors: worst } of measured[0].results) {
    assert.equal(failure, undefined, key);
    assert.ok(worst.rank < 0.02, `${key} is off by ${worst.rank} of the ranks`);
  }
});

test('what failed is told and does not end the bench', async () => {
  const measured = await bench({ size: 'none', only: ['ingest'], who: ['by-hand'] });
  const [{ results }] = measured.workloads;
  assert.match(results[0].failure, /^TypeError: /);
  assert.match(report(measured), /histogram written by hand.*\| – \|/);
});

test('a part measured anew leaves the other sections and their days as they are', () => {
  const section = (title, day, micros) => ({
    title,
    measured: { day, node: '20', cores: 2, processor: 'any', load: [0] },
    columns: [['µs', 'micros']],
    rows: [{ title: 'ours', version: '1', micros }],
  });
  const folder = mkdtempSync(path.join(os.tmpdir(), 'bellwether-report-'));
  const file = path.join(folder, 'bench.md');
  writeFileSync(file, report({ workloads: [], sections: [section('first', '2026-01-01', 11), section('second', '2026-01-01', 12)] }));
  const text = merged(file, report({ workloads: [], sections: [section('second', '2026-02-02', 13)] }));
  rmSync(folder, { recursive: true });
  const expected = report({ workloads: [], sections: [section('first', '2026-01-01', 11), section('second', '2026-02-02', 13)] });
  assert.equal(text, expected);
  assert.match(text, /11[^#]*2026-01-01[^#]*## second[^#]*13[^#]*2026-02-02/);
});

test('errors are seen', () => {
  const sorted = Float64Array.from({ length: 101 }, (_, place) => place + 1);
  assert.equal(rankError(sorted, 51, 0.5), 0);
  assert.ok(Math.abs(rankError(sorted, 61, 0.5) - 9.5 / 101) < 0.01);
  assert.equal(valueError(sorted, 51, 0.5), 0);
  assert.ok(Math.abs(valueError(sorted, 102, 0.5) - 1) < 1e-12);

  const all = responseTimes({ samples: 2_000, series: 2 });
  const columns = sortedValues(all, 0, 2_000);
  const figures = { count: [], avg: [], p50: [], p95: [], p99: [] };
  for (const values of columns) {
    figures.count.push(values.length);
    figures.avg.push(values.reduce((sum, value) => sum + value, 0) / values.length);
    for (const [word, q] of [['p50', 0.5], ['p95', 0.95], ['p99', 0.99]]) figures[word].push(values[Math.floor(q * (values.length - 1))]);
  }
  const right = errors(columns, figures);
  assert.deepEqual([right.count, right.avg, right.value], [0, 0, 0]);
  // An order statistic is at most one rank away from the quantile.
  assert.ok(right.rank <= 1 / Math.min(...figures.count), `${right.rank}`);
  figures.count[1] += 1;
  figures.p99[0] = Number.NaN;
  const worst = errors(columns, figures);
  assert.ok(worst.count > 0);
  assert.equal(worst.p99Rank, 1);
});
