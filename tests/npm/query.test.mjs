// What docs/formats/query.md says of errors, against a real gateway.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { startGateway } from '../browser/support/gateway.mjs';

const page = readFileSync(path.resolve(import.meta.dirname, '../../docs/formats/query.md'), 'utf8');
const documented = [...page.matchAll(/^\| `([a-z_]+)` \| (?:has|names) /gm)].map(([, code]) => code);

let gateway;
before(async () => {
  gateway = await startGateway({ flags: ['--no-host-metrics'] });
  await gateway.ingest([
    { name: 'state', value: 1, kind: 'gauge', labels: { host: 'a' } },
    { name: 'state', value: 2, labels: { host: 'b' } },
  ]);
});
after(() => gateway?.stop());

const right = 'name=state&window=5m&agg=avg';
const wrong = {
  missing_parameter: ['window=5m&agg=avg', 'name=state&agg=avg', 'name=state&window=5m', ''],
  repeated_parameter: [`${right}&name=other`],
  unknown_parameter: [`${right}&windw=5m`],
  bad_name: ['name=&window=5m&agg=avg'],
  bad_window: ['name=state&window=5&agg=avg', 'name=state&window=0s&agg=avg', 'name=state&window=4000d&agg=avg'],
  bad_aggregation: ['name=state&window=5m&agg=mean', 'name=state&window=5m&agg=rate'],
  bad_where: [`${right}&where=host`],
  bad_label: [`${right}&where=:a`],
  bad_across: [`${right}&across=all`, 'name=state&window=5m&agg=last'],
  bad_at: [`${right}&at=now`, `${right}&at=-1`],
  missing_over: [`${right}&over_window=5m`],
};

test('every documented code has a query here', () => {
  assert.deepEqual(Object.keys(wrong).toSorted(), documented.toSorted());
});

for (const [code, queries] of Object.entries(wrong)) {
  test(code, async () => {
    for (const query of queries) {
      const answer = await fetch(`${gateway.url}/query?${query}`);
      assert.equal(answer.status, 400, query);
      const { error } = await answer.json();
      assert.equal(error.code, code, `${query}: ${error.message}`);
      assert.ok(error.message.length > 10, query);
    }
  });
}

test('the right ones are answered', async () => {
  for (const query of [right, `${right}&by=host`, `${right}&across=sum`, 'name=state&window=5m&agg=last&across=sum', `${right}&over=state`]) {
    const answer = await fetch(`${gateway.url}/query?${query}`);
    assert.equal(answer.status, 200, `${query}: ${await answer.text()}`);
  }
});
