// Debian's Prometheus scrapes its node exporter and itself and remote-writes into the gateway, which is killed in
// between: every sample that Prometheus holds is in our store, once.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { startGateway, temporaryFolder, until } from '../browser/support/gateway.mjs';
import { freePort, seriesName, start, stored } from './support/process.mjs';

// The soak takes ten minutes and three outages.
const soak = process.env.BELLWETHER_SOAK === '1';
const OUTAGES = soak ? 3 : 1;
/** Scrapes, one a second, before, during and after an outage. */
const UP = soak ? 150 : 5;
const DOWN = soak ? 45 : 5;

const configuration = (own, exporter, gateway) => `
global: { scrape_interval: 1s, external_labels: { prometheus: test } }
scrape_configs:
  - job_name: node
    static_configs: [{ targets: ['127.0.0.1:${exporter}'] }]
  - job_name: prometheus
    static_configs: [{ targets: ['127.0.0.1:${own}'] }]
remote_write:
  - url: http://127.0.0.1:${gateway}/api/v1/write
    queue_config: { min_backoff: 100ms, max_backoff: 500ms, batch_send_deadline: 500ms }
`;

test('what Prometheus holds after outages of ours is in our store, sample by sample', async (t) => {
  const [own, exporterPort, port] = [await freePort(), await freePort(), await freePort()];
  const [data, work] = [temporaryFolder(), temporaryFolder()];
  const file = path.join(work.folder, 'prometheus.yml');
  writeFileSync(file, configuration(own, exporterPort, port));
  const begin = () => startGateway({ port, dataDir: data.folder, flags: ['--no-host-metrics'] });

  let gateway = await begin();
  const exporter = start('prometheus-node-exporter', [`--web.listen-address=127.0.0.1:${exporterPort}`]);
  const prometheus = start('prometheus', [
    `--config.file=${file}`,
    `--storage.tsdb.path=${path.join(work.folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${own}`,
  ]);
  t.after(async () => {
    await prometheus.stop();
    await exporter.stop();
    await gateway.kill();
    work.remove();
    data.remove();
  });

  const ask = async (query, at) => {
    const time = at === undefined ? '' : `&time=${at / 1000}`;
    const answer = await fetch(`http://127.0.0.1:${own}/api/v1/query?query=${encodeURIComponent(query)}${time}`);
    const { status, data: found, error } = await answer.json();
    assert.equal(status, 'success', error);
    return found.result;
  };
  const scrapes = async () => Number((await ask('count_over_time(up{job="node"}[1h])'))[0]?.value[1] ?? 0);
  const more = async (count) => {
    const before = await until(scrapes, `Prometheus scrapes\n${prometheus.log()}`);
    await until(async () => (await scrapes()) >= before + count, `${count} more scrapes`, (count + 30) * 1_000);
  };

  await until(async () => (await stored(gateway, '&name=up')).length > 0, 'a sample has come');
  for (let outage = 0; outage < OUTAGES; outage += 1) {
    await more(UP);
    await gateway.kill();
    await more(DOWN);
    gateway = await begin();
  }
  await more(UP);

  // All that Prometheus holds of every series up to an instant, but for what is no value to us.
  const instant = Math.max(...(await ask('timestamp(up)')).map(({ value }) => Number(value[1]))) * 1_000;
  const held = new Map();
  let notFinite = 0;
  for (const { metric: { __name__: name, ...labels }, values } of await ask('{__name__=~".+"}[1h]', instant)) {
    const series = seriesName(name, { ...labels, prometheus: 'test' });
    for (const [time, text] of values) {
      const value = Number(text);
      if (Number.isFinite(value)) held.set(`${series} ${Math.round(time * 1_000)}`, value);
      else notFinite += 1;
    }
  }
  const ours = async () => {
    const samples = (await stored(gateway)).filter(({ timestamp }) => timestamp <= instant);
    const found = new Map();
    for (const { name, labels, timestamp, value } of samples) {
      if (labels?.prometheus !== 'test') continue;
      const sample = `${seriesName(name, labels)} ${timestamp}`;
      assert.ok(!found.has(sample), `${sample} is stored twice`);
      found.set(sample, value);
    }
    return found;
  };
  // Late ones are on their way still.
  await until(async () => (await ours()).size >= held.size, 'all of it has come', 30_000).catch(() => {});
  const found = await ours();
  const missing = [...held].filter(([sample, value]) => found.get(sample) !== value);
  assert.deepEqual(missing.slice(0, 5), [], `${missing.length} of ${held.size} samples are missing or differ`);
  const invented = [...found.keys()].filter((sample) => !held.has(sample));
  assert.deepEqual(invented.slice(0, 5), [], `${invented.length} samples are ours alone`);
  assert.ok(held.size > 10_000, `only ${held.size} samples were compared`);
  t.diagnostic(`${held.size} samples compared, ${notFinite} were NaN or infinite`);
});
