// OpenTelemetry's SDKs for Python and JavaScript export counters, gauges and both kinds of histograms, and what they
// were told reads back: values exactly, percentiles within the error that is published.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';

import { startGateway } from '../browser/support/gateway.mjs';
import { start } from './support/process.mjs';

// Each sends the whole numbers from 1 to 1,000 in two exports, the odd ones first.
const senders = [
  ['python, cumulative', process.env.BELLWETHER_PYTHON ?? 'python3', 'send.py', ['cumulative']],
  ['python, delta', process.env.BELLWETHER_PYTHON ?? 'python3', 'send.py', ['delta']],
  ['javascript, json, cumulative', process.execPath, 'send.mjs', ['json', 'cumulative']],
  ['javascript, protobuf, cumulative', process.execPath, 'send.mjs', ['protobuf', 'cumulative']],
  ['javascript, json, delta', process.execPath, 'send.mjs', ['json', 'delta']],
  ['javascript, protobuf, delta', process.execPath, 'send.mjs', ['protobuf', 'delta']],
];

for (const [name, program, script, args] of senders) {
  test(`what the SDK was told reads back: ${name}`, async (t) => {
    // One each: a metric that is a counter of one sender cannot be what another adds.
    const gateway = await startGateway({ flags: ['--no-host-metrics'] });
    t.after(() => gateway.stop());
    const service = name.replaceAll(/[ ,]+/g, '-');
    const file = path.join(import.meta.dirname, 'otel', script);
    const sender = start(program, [file, gateway.url, service, ...args], { cwd: import.meta.dirname });
    const end = await sender.ended;
    assert.deepEqual(end, { code: 0, signal: null }, sender.log());

    const ask = async (metric, agg, more = '') => {
      const query = `name=${metric}&window=5m&agg=${agg}&where=job:${service}${more}`;
      const answer = await fetch(`${gateway.url}/query?${query}`);
      assert.equal(answer.status, 200, await answer.clone().text());
      return (await answer.json()).result;
    };
    const near = (found, expected, error, what) =>
      assert.ok(Math.abs(found - expected) <= error * expected, `${what} is ${found}, not ${expected}`);

    // A cumulative counter's first export is where it begins; what adds is added from the first on.
    const isDelta = args.includes('delta');
    assert.equal(await ask('orders', isDelta ? 'sum' : 'increase'), isDelta ? 1_000 : 500);
    assert.equal(await ask('queue', 'last'), 3);
    assert.equal(await ask('temperature', 'last', '&where=room:a'), 21.5);
    for (const histogram of ['explicit', 'exponential']) {
      const figure = (agg) => ask(histogram, agg, '&where=route:/a');
      assert.equal(await figure('count'), 1_000, histogram);
      assert.equal(await figure('sum'), 500_500, histogram);
      near(await figure('avg'), 500.5, 1e-12, histogram);
      // Exponential: 160 value buckets over three decades are of scale 4, off by at most 2.2 %. Explicit: between
      // the default bounds of 250, 500, 750 and 1,000 these values lie evenly, as they are taken to.
      for (const [agg, expected] of [['p50', 500], ['p90', 900], ['p99', 990]]) {
        near(await figure(agg), expected, 0.022, `${agg} of ${histogram}`);
      }
      assert.equal(await figure('max'), 1_000, histogram);
      near(await figure('min'), 1, 0.05, `least of ${histogram}`);
    }
  });
}
