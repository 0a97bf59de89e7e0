// The examples, as they stand, against a real gateway.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { startGateway, temporaryFolder, until } from '../browser/support/gateway.mjs';

const run = promisify(execFile);
const examples = path.resolve(import.meta.dirname, '../../examples');

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

/** Starts the booking service, lets `work` use it, and ends it whatever happens. */
async function withBookingService(url, work) {
  const service = spawn(process.execPath, ['server.js'], {
    cwd: path.join(examples, 'booking-service'),
    env: { ...process.env, BELLWETHER_URL: url, PORT: '0' },
  });
  const said = { out: '', err: '' };
  service.stdout.on('data', (bytes) => { said.out += bytes; });
  service.stderr.on('data', (bytes) => { said.err += bytes; });
  try {
    await work(await until(() => said.out.match(/http:\S+/)?.[0], 'the service says where it is'), said);
  } finally {
    service.kill();
  }
}

async function book(service) {
  const answer = await fetch(`${service}/book`, { method: 'POST' });
  assert.deepEqual(await answer.json(), { status: 'ok' });
}

test('the booking service records and asks', () =>
  withBookingService(gateway.url, async (service, said) => {
    const none = await (await fetch(`${service}/stats`)).json();
    assert.deepEqual(none, { avg_booking_time_ms: null });
    for (let booking = 0; booking < 3; booking += 1) await book(service);
    const counted = async () => (await query('name=booking_response_time&window=5m&agg=count')).result === 3;
    await until(counted, 'the three bookings are recorded');
    const { avg_booking_time_ms: average } = await (await fetch(`${service}/stats`)).json();
    assert.ok(average >= 49 && average < 5_000, `average ${average} ms`);
    assert.equal(average, (await query('name=booking_response_time&window=5m&agg=avg')).result);
    assert.match(said.out, /Avg booking time: \d/);
    assert.equal(said.err, '');
  }));

test('bookings go on while the gateway is away', async () => {
  const gone = await startGateway({ flags: ['--no-host-metrics'] });
  await gone.stop();
  await withBookingService(gone.url, async (service, said) => {
    await book(service);
    const why = `${gone.url} cannot be reached (ECONNREFUSED)`;
    await until(() => said.err.includes(`booking_response_time was not recorded: ${why}`), 'it says what was lost');
    const stats = await fetch(`${service}/stats`);
    assert.equal(stats.status, 502);
    assert.deepEqual(await stats.json(), { error: why });
    await book(service);
  });
});

test('the collector says what the gateway refuses', async () => {
  const collector = path.join(examples, 'booking-service/metrics/collector.js');
  const script = `import { recordMetric, queryMetric } from '${pathToFileURL(collector)}';
    recordMetric('', 120);
    await queryMetric('latency', { window: '5m', agg: 'mean' }).catch((error) => console.log(error.message));`;
  const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '-e', script], { env: environment() });
  assert.match(stderr, / was not recorded: http\S+ answered 422 .*bad_name/);
  assert.match(stdout, /answered 400 .*bad_aggregation/);
});

test('the well-known collector of twenty lines works as written, but for its address', async () => {
  const { folder, remove } = temporaryFolder();
  try {
    cpSync(path.join(import.meta.dirname, 'consumers/listings'), folder, { recursive: true });
    const collector = path.join(folder, 'metrics/collector.js');
    writeFileSync(collector, readFileSync(collector, 'utf8').replaceAll('http://metrics-store:4000', gateway.url));
    writeFileSync(path.join(folder, 'package.json'), '{ "type": "module" }');
    const { stdout } = await run(process.execPath, ['main.mjs'], { cwd: folder, timeout: 30_000 });
    assert.deepEqual(JSON.parse(stdout), { before: null, result: 130 });
  } finally {
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
