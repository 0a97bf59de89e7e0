// A figure is the same figure everywhere: the npm engine and a real gateway, given the same samples.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { startGateway } from '../browser/support/gateway.mjs';
import { project } from './support/project.mjs';

/** Numbers in [0, 1) that are the same at each run. */
function numbers(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Two hours of samples of every kind, some of them late, with counters that start again. */
function samplesUntil(now) {
  const random = numbers(7);
  const samples = [];
  for (const host of ['a', 'b', 'c']) {
    let total = 0;
    for (let ago = 7_000; ago > 0; ago -= 20) {
      const timestamp = now - Math.floor((ago + (random() < 0.1 ? 300 * random() : random())) * 1_000);
      const labels = { host };
      samples.push({ name: 'latency', value: Math.exp(4 + 2 * random()), timestamp, labels, kind: 'observation' });
      samples.push({ name: 'memory', value: 1e9 * random(), timestamp, labels, kind: 'gauge' });
      if (random() < 0.2) samples.push({ name: 'errors', value: 1 + Math.floor(3 * random()), timestamp, labels, kind: 'event' });
      total = random() < 0.02 ? 0 : total + Math.floor(10 * random());
      samples.push({ name: 'requests_total', value: total, timestamp: now - ago * 1_000, labels, kind: 'counter' });
    }
  }
  return samples;
}

// Twice each of them, for `delta`, lies well within a tier that both keep, also when the gateway's clock is some seconds
// past the instant that is asked for.
const WINDOWS = ['10s', '4m', '17m', '50m'];

const aggregations = {
  latency: ['avg', 'sum', 'count', 'min', 'max', 'stddev', 'rate', 'increase', 'delta', 'p0', 'p50', 'p95', 'p99.9', 'p100'],
  memory: ['avg', 'min', 'max', 'delta', 'p50'],
  errors: ['avg', 'sum', 'count', 'increase', 'rate', 'delta'],
  requests_total: ['increase', 'rate', 'delta', 'count'],
};

function queriesAt(now) {
  const queries = [];
  for (const [name, words] of Object.entries(aggregations)) {
    for (const agg of words) {
      for (const window of WINDOWS) {
        queries.push({ name, window, agg, now });
        queries.push({ name, window, agg, now, by: ['host'] });
        queries.push({ name, window, agg, now, where: ['host:b'] });
      }
    }
  }
  for (const across of ['sum', 'avg', 'min', 'max']) queries.push({ name: 'memory', window: '5m', agg: 'last', across, now });
  return queries;
}

/** The same query as an address. */
function address({ name, window, agg, now, by, where, across }) {
  const parameters = new URLSearchParams({ name, window, agg, at: now });
  for (const label of by ?? []) parameters.append('by', label);
  for (const condition of where ?? []) parameters.append('where', condition);
  if (across) parameters.append('across', across);
  return parameters;
}

/** An answer of the gateway in the words of the package. */
function inItsWords({ relative_error: relativeError, groups, ...rest }) {
  return groups ? { groups: groups.map(inItsWords) } : { ...rest, relativeError };
}

test('the npm engine and the gateway give the same figures', async () => {
  const now = Date.now();
  const samples = samplesUntil(now);
  const queries = queriesAt(now);
  const consumer = await project('figures');
  const gateway = await startGateway({ flags: ['--no-host-metrics'] });
  try {
    for (let start = 0; start < samples.length; start += 2_000) await gateway.ingest(samples.slice(start, start + 2_000));
    writeFileSync(path.join(consumer.folder, 'task.json'), JSON.stringify({ now, samples, queries }));
    const { stdout } = await consumer.node('main.mjs');
    const answers = JSON.parse(stdout);
    let values = 0;
    for (const [place, query] of queries.entries()) {
      const answer = await fetch(`${gateway.url}/query?${address(query)}`);
      const body = await answer.json();
      assert.equal(answer.status, 200, `${address(query)}: ${JSON.stringify(body)}`);
      assert.deepEqual(answers[place], inItsWords(body), `${address(query)}`);
      values += body.groups?.length ?? (body.result === null ? 0 : 1);
    }
    assert.ok(values > queries.length / 2, `only ${values} values were compared`);
  } finally {
    await gateway.stop();
    consumer.remove();
  }
});
