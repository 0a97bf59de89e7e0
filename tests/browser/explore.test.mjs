// Any metric of the gateway: found, asked, drawn, taken along, and sent to a colleague.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { accessible, looks } from './support/axe.mjs';
import { launch, openPage } from './support/chromium.mjs';
import { startGateway } from './support/gateway.mjs';
import { heading, live, rows, views } from './support/overview.mjs';

let browser;
let gateway;
before(async () => {
  browser = await launch();
  const board = path.join(import.meta.dirname, 'boards/agencies.json');
  gateway = await startGateway({ flags: ['--no-host-metrics', '--board', board] });
  const visit = (page, value) => ({ name: 'visit_ms', value, labels: { page, site: 'one' } });
  await gateway.ingest([visit('/a', 100), visit('/a', 300), visit('/b', 50), { name: 'depth', value: 7, kind: 'gauge' }]);
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
});

const field = (page) => page.getByRole('combobox', { name: 'Metric' });
const summary = (page, metric) => page.locator(`[data-panel="${metric}"] canvas`);
const says = (page, metric, pattern) =>
  page.waitForFunction(
    ([selector, source]) => new RegExp(source).test(document.querySelector(selector)?.getAttribute('aria-label') ?? ''),
    [`[data-panel="${metric}"] canvas`, pattern.source],
  );
const pick = (page, name) => page.locator('.picks').getByRole('link', { name, exact: true });

test('a metric that no board names is found by its name, asked in other ways, and taken as CSV', async () => {
  const { page, context, watch } = await openPage(browser, { allowed: [gateway.url] });
  await page.goto(gateway.url);
  await views(page).getByRole('link', { name: 'Explore' }).click();
  await heading(page, 'Explore').waitFor();
  await page.getByRole('link', { name: 'depth' }).waitFor();
  const offered = await page.locator('datalist option').evaluateAll((all) => all.map((one) => one.value));
  assert.deepEqual(offered.filter((name) => !/^(gateway|http)_/.test(name)), ['depth', 'visit_ms']);

  await field(page).fill('visit_ms');
  await page.keyboard.press('Enter');
  await says(page, 'visit_ms', /\/a · one: latest 200\s?ms.*\/b · one: latest 50\s?ms/);
  await pick(page, 'max').click();
  await says(page, 'visit_ms', /\/a · one: latest 300\s?ms/);
  await pick(page, 'all together').click();
  await says(page, 'visit_ms', /max of 2 series: latest 300\s?ms/);
  await pick(page, 'page').click();
  await says(page, 'visit_ms', /\/a: latest 300\s?ms/);
  assert.deepEqual((await rows(page, 'By label')).map((row) => [row[0], row[4]]), [['/a', '2'], ['/b', '1']]);
  assert.equal(await pick(page, 'max').getAttribute('aria-current'), 'true');
  // Of a gauge there is no rate.
  assert.equal(await pick(page, 'rate').count(), 1);

  const address = page.url();
  assert.match(address, /#\/explore\?window=5m&metric=visit_ms&agg=max&by=page$/);
  const panel = page.locator('[data-panel="visit_ms"]');
  await panel.locator('summary').click();
  const [download] = await Promise.all([page.waitForEvent('download'), panel.getByRole('button', { name: /CSV/ }).click()]);
  assert.equal(download.suggestedFilename(), 'visit_ms.csv');
  assert.match(await readFile(await download.path(), 'utf8'), /^time,\/a[^\r\n]*,\/b[^\r\n]*\r\n/);

  // A colleague opens the same; the filter of the page counts here as well.
  await page.reload();
  await live(page);
  await says(page, 'visit_ms', /\/a: latest 300\s?ms/);
  await page.goto(`${gateway.url}/#/explore?metric=visit_ms&where=page:%2Fb`);
  await says(page, 'visit_ms', /latest 50\s?ms/);
  // The greatest: what comes below may lie in the same column as what came first.
  await page.goto(`${gateway.url}/#/explore?metric=depth&agg=max`);
  await says(page, 'depth', /latest 7/);
  assert.equal(await pick(page, 'rate').count(), 0);
  // New samples come live.
  await gateway.ingest([{ name: 'depth', value: 9, kind: 'gauge' }]);
  await says(page, 'depth', /latest 9/);
  watch.check();
  await context.close();
});

test('what is not there, or on the board already, is said or shown', async () => {
  const { page, context, watch } = await openPage(browser, { allowed: [gateway.url] });
  await page.goto(`${gateway.url}/#/explore?metric=${encodeURIComponent('<i>gone</i>')}`);
  await page.getByText('The gateway has no metric called <i>gone</i>.').waitFor();
  assert.equal(await page.locator('main i').count(), 0);
  await gateway.ingest([{ name: 'resolution_time', value: 4, labels: { agency: 'Housing' } }]);
  await page.goto(`${gateway.url}/#/explore?metric=resolution_time`);
  await says(page, 'resolution_time', /latest 4\s?days/);
  assert.equal(await summary(page, 'resolution_time').count(), 1);
  watch.check();
  await context.close();
});

for (const look of looks) {
  test(`the view to explore, ${look.colorScheme}, ${look.viewport.width} px wide, is accessible`, async () => {
    const { page, context, watch } = await openPage(browser, { allowed: [gateway.url], ...look });
    await page.goto(`${gateway.url}/#/explore`);
    await live(page);
    await page.getByRole('link', { name: 'visit_ms' }).waitFor();
    await accessible(page, 'metrics');
    await page.goto(`${gateway.url}/#/explore?metric=visit_ms&by=page`);
    await rows(page, 'By label');
    await accessible(page, 'one metric');
    watch.check();
    await context.close();
  });
}
