// The collector in a page, in a real Chromium, against a real gateway on another origin.
import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import esbuild from 'esbuild';
import { launch, openPage } from '../browser/support/chromium.mjs';
import { startGateway, until } from '../browser/support/gateway.mjs';
import { serveFolder } from '../browser/support/static-server.mjs';
import { figure } from './support/collector.mjs';
import { project } from './support/project.mjs';

let consumer;
let site;
let gateway;
let browser;
before(async () => {
  consumer = await project('collector-page');
  cpSync(path.join(import.meta.dirname, '../../examples/web-vitals'), path.join(consumer.folder, 'vitals'), { recursive: true });
  site = await serveFolder(consumer.folder, '/');
  gateway = await startGateway({ flags: ['--no-host-metrics', '--allow-origin', site.origin] });
  const vitals = path.join(consumer.folder, 'vitals/vitals.js');
  writeFileSync(vitals, readFileSync(vitals, 'utf8').replace('http://127.0.0.1:4000', gateway.url));
  await esbuild.build({
    absWorkingDir: consumer.folder, entryPoints: ['main.js', 'vitals/vitals.js'], bundle: true, format: 'esm', outdir: '.', allowOverwrite: true,
    logLevel: 'error', define: { GATEWAY: JSON.stringify(gateway.url) }, nodePaths: [path.join(import.meta.dirname, 'node_modules')],
  });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
  await site?.close();
  consumer?.remove();
});

const open = async (address) => {
  const opened = await openPage(browser, { allowed: [site.origin, gateway.url] });
  await opened.page.goto(`${site.url}${address}`);
  return opened;
};

test('a page records and asks', async () => {
  const { page, context, watch } = await open('index.html');
  assert.equal(await page.evaluate(() => {
    collector.recordMetric('asked', 120);
    collector.recordMetric('asked', 140);
    return collector.flush();
  }), true);
  assert.equal(await page.evaluate(() => collector.queryMetric('asked', { window: '5m', agg: 'avg' })), 130);
  assert.equal(await page.evaluate(() => collector.counters().stored), 2);
  watch.check();
  await context.close();
});

test('what waits when a page is left is sent off', async () => {
  const { page, context, watch } = await open('index.html');
  await page.evaluate(() => {
    for (let value = 1; value <= 200; value += 1) collector.recordMetric('left', value);
  });
  await page.goto('about:blank');
  await until(async () => (await figure(gateway.url, 'name=left&window=5m&agg=count')) === 200, 'all are stored');
  assert.equal(await figure(gateway.url, 'name=left&window=5m&agg=sum'), 20_100);
  watch.check();
  await context.close();
});

test('a page that is left with a batch under way loses neither that nor what waits', async () => {
  const { page, context, watch } = await open('index.html');
  await page.evaluate(() => {
    const tick = () => collector.recordMetric('under_way', 1, { filler: 'x'.repeat(50) });
    for (let n = 0; n < 300; n += 1) tick();
    void collector.flush();
    for (let n = 0; n < 100; n += 1) tick();
    location.href = 'about:blank';
  });
  await until(async () => (await figure(gateway.url, 'name=under_way&window=5m&agg=count')) === 400, 'all are stored');
  watch.check();
  await context.close();
});

test('a page may send a token along', async () => {
  const { page, context, watch } = await open('index.html');
  assert.deepEqual(await page.evaluate(async () => {
    const own = collect({ token: 'secret' });
    own.recordMetric('token', 1);
    return { sent: await own.flush(), figure: await own.queryMetric('token', { window: '5m', agg: 'count' }) };
  }), { sent: true, figure: 1 });
  watch.check();
  await context.close();
});

test('the collector works in a module worker', async () => {
  const { page, context, watch } = await open('index.html');
  assert.deepEqual(await page.evaluate(() => new Promise((resolve) => {
    const worker = new Worker('./main.js', { type: 'module' });
    worker.onmessage = ({ data: counters }) => resolve(counters);
    worker.postMessage('record');
  })), { recorded: 1, stored: 1, rejected: 0, dropped: 0, waiting: 0, retries: 0 });
  watch.check();
  await context.close();
});

test('the web-vitals example records what its readers waited for', async () => {
  const { page, context, watch } = await open('vitals/index.html');
  await page.getByRole('button', { name: 'Buy' }).click();
  await page.goto('about:blank');
  for (const name of ['web_vitals_lcp', 'web_vitals_cls']) {
    const by = `name=${name}&window=5m&agg=count&where=page:/vitals/index.html`;
    await until(async () => (await figure(gateway.url, by)) >= 1, `${name} is stored`);
  }
  assert.ok((await figure(gateway.url, 'name=web_vitals_lcp&window=5m&agg=max')) > 0);
  watch.check();
  await context.close();
});
