// The examples, as they stand, against a real gateway; only the gateway's address is changed.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { startGateway, temporaryFolder, until } from '../browser/support/gateway.mjs';

const run = promisify(execFile);
const examples = path.resolve(import.meta.dirname, '../../examples');
const COLLECTOR = path.join(examples, 'booking-service/metrics/collector.js');

let gateway;
before(async () => {
  gateway = await startGateway({ flags: ['--no-host-metrics'] });
});
after(() => gateway?.stop());

const environment = () => ({ ...process.env, BELLWETHER_URL: gateway.url });

async function query(parameters) {
  const answer = await fetch(`${gateway.url}/query?${parameters}`);
  assert.equal(answer.status, 200, await answer.clone().text());
  return answer.json();
}

test('the Python example prints its scorecard', async () => {
  const { stdout } = await run('python3', ['example_usage.py'], {
    cwd: path.join(examples, 'grants-office'),
    env: { ...environment(), PYTHONDONTWRITEBYTECODE: '1' },
  });
  assert.equal(stdout, "{'avg_resolution_time': 5, 'avg_satisfaction': 4.2, 'total_conflicts': 1}\n");
});

test('the Python example says what the gateway refused', async () => {
  const script = [
    'from monitoring import MonitoringModule, MonitoringError',
    'try: MonitoringModule().record_satisfaction(case_id="HA-001", score="very")',
    'except MonitoringError as error: print(error.code, "|", error)',
  ].join('\n');
  const { stdout } = await run('python3', ['-c', script], {
    cwd: path.join(examples, 'grants-office'),
    env: { ...environment(), PYTHONDONTWRITEBYTECODE: '1' },
  });
  assert.match(stdout, /^[a-z_]+ \| [a-z_]+: .*value/);
});

test('the collector is the well-known listing, with another address and fetch built in', () => {
  const listing = `// Collector sends and queries metrics
import fetch from 'node-fetch';

export function recordMetric(name, value) {
  // In reality, batch and retry for efficiency
  fetch('http://metrics-store:4000/ingest', {
    method: 'POST',
    headers: {'Content-Type':'application/json'},
    body: JSON.stringify({ name, value, timestamp: Date.now() })
  });
}

export async function queryMetric(name, { window, agg }) {
  const res = await fetch(
    \`http://metrics-store:4000/query?name=\${name}&window=\${window}&agg=\${agg}\`
  );
  const data = await res.json();
  return data.result;
}
`;
  const ours = readFileSync(COLLECTOR, 'utf8');
  assert.equal(ours, listing.replace("import fetch from 'node-fetch';\n", '').replaceAll('metrics-store', '127.0.0.1'));
});

test('the booking service records and asks', async () => {
  const { folder, remove } = temporaryFolder();
  cpSync(path.join(examples, 'booking-service'), folder, { recursive: true });
  const collector = path.join(folder, 'metrics/collector.js');
  writeFileSync(collector, readFileSync(collector, 'utf8').replaceAll('http://127.0.0.1:4000', gateway.url));
  const service = spawn(process.execPath, ['server.js'], { cwd: folder, env: { ...process.env, PORT: '0' } });
  try {
    let said = '';
    service.stdout.on('data', (bytes) => { said += bytes; });
    const address = await until(() => said.match(/http:\S+/)?.[0], 'the service says where it is');
    const none = await (await fetch(`${address}/stats`)).json();
    assert.deepEqual(none, { avg_booking_time_ms: null });
    for (let booking = 0; booking < 3; booking += 1) {
      const answer = await fetch(`${address}/book`, { method: 'POST' });
      assert.deepEqual(await answer.json(), { status: 'ok' });
    }
    const counted = async () => (await query('name=booking_response_time&window=5m&agg=count')).result === 3;
    await until(counted, 'the three bookings are recorded');
    const { avg_booking_time_ms: average } = await (await fetch(`${address}/stats`)).json();
    assert.ok(average >= 49 && average < 5_000, `average ${average} ms`);
    assert.equal(average, (await query('name=booking_response_time&window=5m&agg=avg')).result);
    assert.match(said, /Avg booking time: \d/);
  } finally {
    service.kill();
    remove();
  }
});

test('the curl example prints figures', async () => {
  const own = await startGateway({ flags: ['--no-host-metrics'] });
  try {
    const { stdout } = await run('sh', [path.join(examples, 'curl/record-and-query.sh')], {
      env: { ...process.env, BELLWETHER_URL: own.url },
    });
    const [average, byRoute, conflicts] = stdout.trim().split('\n').map((line) => JSON.parse(line));
    assert.equal(average.result, 130);
    assert.deepEqual(
      byRoute.groups.map(({ labels, result }) => [labels.route, result]),
      [['/book', 130], ['/cancel', 130]],
    );
    assert.equal(conflicts.result, 2);
  } finally {
    await own.stop();
  }
});
