// Where the figures come from, and what the words mean.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { accessible, looks } from './support/axe.mjs';
import { launch, openPage } from './support/chromium.mjs';
import { startGateway } from './support/gateway.mjs';
import { asked, heading, live, rows, views } from './support/overview.mjs';

let browser;
let gateway;
before(async () => {
  browser = await launch();
  const board = path.join(import.meta.dirname, 'boards/agencies.json');
  gateway = await startGateway({ flags: ['--no-host-metrics', '--board', board] });
  const days = (agency, timestamp) => ({ name: 'resolution_time', value: 4, timestamp, labels: { agency } });
  const now = Date.now();
  // A sample each second, then a minute of silence, then one more.
  const first = Array.from({ length: 30 }, (_, place) => days('Housing', now - 120_000 + place * 1000));
  await gateway.ingest([...first, days('Culture', now), { name: 'depth', value: 7, kind: 'gauge' }]);
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
});

test('each metric says how old, how many and how whole it is, and leads to its chart', async () => {
  const { page, context, watch } = await openPage(browser, { allowed: [gateway.url] });
  await page.goto(gateway.url);
  await views(page).getByRole('link', { name: 'Sources' }).click();
  await heading(page, 'Sources').waitFor();
  const facts = Object.fromEntries(await rows(page, 'Gateway'));
  assert.equal(facts['Live feed'], 'Live');
  assert.equal(facts['Series of the board'], '2 of at most 1,400');
  assert.equal(facts['Limits reached'], 'none');
  const metric = async (name) => (await rows(page, 'Metrics')).find(([found]) => found === name);
  await page.getByRole('link', { name: 'depth' }).waitFor();
  const [, kind, series, age, rate, gaps] = await metric('resolution_time');
  assert.deepEqual([kind, series, gaps], ['observation', '2', '1']);
  assert.match(age, /^\d+\s?(s|min) ago$/);
  assert.match(rate, /^\d/);
  assert.deepEqual((await metric('depth')).slice(1, 3), ['not on the board', '1']);
  await page.getByRole('link', { name: 'depth' }).click();
  await heading(page, 'Explore').waitFor();
  await page.locator('[data-panel="depth"]').waitFor();
  watch.check();
  await context.close();
});

test('the help is there also while the gateway is not', async () => {
  const { page, context, watch } = await openPage(browser, { allowed: [gateway.url] });
  const paths = asked(page);
  await page.routeWebSocket(/\/ws/, (socket) => socket.close());
  await page.goto(gateway.url);
  assert.ok(!paths.includes('/help/en.html'), 'nobody has asked for it');
  await views(page).getByRole('link', { name: 'Help' }).click();
  await page.getByRole('heading', { name: 'Keyboard' }).waitFor();
  await page.getByText('p50, p95, p99', { exact: true }).waitFor();
  assert.match(await page.title(), /^Help · /);
  watch.check();
  await context.close();
});

for (const look of looks) {
  test(`sources and help, ${look.colorScheme}, ${look.viewport.width} px wide, are accessible`, async () => {
    const { page, context, watch } = await openPage(browser, { allowed: [gateway.url], ...look });
    await page.goto(`${gateway.url}/#/sources`);
    await live(page);
    await rows(page, 'Metrics');
    await accessible(page, 'sources');
    await page.goto(`${gateway.url}/#/help`);
    await page.getByRole('heading', { name: 'Keyboard' }).waitFor();
    await accessible(page, 'help');
    watch.check();
    await context.close();
  });
}
