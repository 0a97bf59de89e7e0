// Code that only some views need comes after the first figures, and says so where it does not come.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { accessible, looks } from './support/axe.mjs';
import { launch, openPage } from './support/chromium.mjs';
import { startGateway } from './support/gateway.mjs';
import { card, heading, live, views } from './support/overview.mjs';

const CHUNKS = '**/chunks/*.wasm';

let browser;
let gateway;
before(async () => {
  browser = await launch();
  gateway = await startGateway();
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
});

test('the figures wait for no code of other views, which is there when the network is cut later', async () => {
  const { page, context, watch } = await openPage(browser, { allowed: [gateway.url] });
  const asked = [];
  const come = [];
  let release;
  const held = new Promise((resolve) => { release = resolve; });
  await page.route(CHUNKS, async (route) => {
    asked.push(new URL(route.request().url()).pathname);
    await held;
    await route.continue();
  });
  page.on('requestfinished', (request) => {
    if (request.url().includes('/chunks/')) come.push(new URL(request.url()).pathname);
  });
  await page.goto(gateway.url);
  await live(page);
  await card(page, 'host-cpu').locator('.figure-value', { hasText: /\d\s?%/ }).waitFor();
  assert.deepEqual(come, [], 'the figures are there without any');
  release();
  const panel = page.waitForEvent('requestfinished', (request) => /\/chunks\/panel-/.test(request.url()));
  if (!come.some((name) => name.startsWith('/chunks/panel-'))) await panel;
  assert.equal(new Set(asked).size, asked.length, `each is asked for once: ${asked}`);

  await page.unroute(CHUNKS);
  watch.expect(/ERR_FAILED/);
  await page.route('**/*', (route) => route.abort());
  for (const [name, part] of [['Alerts', 'What is watched'], ['Sources', 'Metrics'], ['Explore', 'Metric']]) {
    await views(page).getByRole('link', { name }).click();
    await heading(page, name).waitFor();
    await page.locator('main').getByText(part).first().waitFor();
  }
  await views(page).getByRole('link', { name: 'Overview' }).click();
  await card(page, 'host-cpu').getByRole('link').first().click();
  await page.locator('main').getByRole('heading', { name: 'Course' }).waitFor();
  watch.check();
  await context.close();
});

test('a view whose code is on its way says so', async () => {
  const { page, context, watch } = await openPage(browser, { allowed: [gateway.url] });
  let release;
  const held = new Promise((resolve) => { release = resolve; });
  await page.route(CHUNKS, async (route) => {
    await held;
    await route.continue();
  });
  await page.goto(`${gateway.url}/#/alerts`);
  await page.getByRole('status').filter({ hasText: 'Loading this view…' }).waitFor();
  release();
  await page.getByRole('heading', { name: 'Firing' }).waitFor();
  watch.check();
  await context.close();
});

for (const look of looks) {
  test(`a view whose code does not come says why and tries again, ${look.colorScheme} at ${look.viewport.width} px`, async () => {
    const { page, context, watch } = await openPage(browser, { allowed: [gateway.url], ...look });
    watch.expect(/ERR_FAILED|Failed to fetch/);
    await page.route(CHUNKS, (route) => route.abort());
    await page.goto(`${gateway.url}/#/sources`);
    const said = page.getByRole('alert').filter({ hasText: 'This view could not be loaded' });
    await said.waitFor();
    await accessible(page, 'a view that did not come');
    // The other views need nothing of it.
    await views(page).getByRole('link', { name: 'Overview' }).click();
    await card(page, 'host-cpu').waitFor();
    await page.goBack();
    await said.waitFor();
    await page.unroute(CHUNKS);
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('heading', { name: 'Metrics' }).waitFor();
    watch.check();
    await context.close();
  });
}
