// One metric has more series than a page takes: that is said, and nowhere that there is no data.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { launch, openPage } from './support/chromium.mjs';
import { startGateway } from './support/gateway.mjs';
import { card, figureIs, live } from './support/overview.mjs';

const board = (name) => path.join(import.meta.dirname, `boards/${name}.json`);

let browser;
before(async () => {
  browser = await launch();
});
after(async () => {
  await browser?.close();
});

/** Three customers of the north and 2,497 others; the average of all is 200. */
async function crowd(gateway) {
  const sample = (_, place) => ({
    name: 'crowd',
    value: 200,
    kind: 'gauge',
    labels: { customer: String(place), region: place < 3 ? 'north' : 'rest' },
  });
  const samples = Array.from({ length: 2_500 }, sample);
  await gateway.ingest(samples.slice(0, 1_250));
  await gateway.ingest(samples.slice(1_250));
}

test('a metric with too many series has no figure here, and the page says why and who has one', async () => {
  const gateway = await startGateway({ flags: ['--no-host-metrics', '--board', board('crowd')] });
  await crowd(gateway);
  const { page, context, watch } = await openPage(browser, { allowed: [gateway.url] });
  await page.goto(gateway.url);
  await live(page);
  await card(page, 'all').locator('.badge', { hasText: 'No figure' }).waitFor();
  await card(page, 'all').getByText('Too many series for this page').waitFor();
  await page.locator('[data-status]', {
    hasText: '1 target cannot be judged here: too many series for this page. No alert is firing.',
  }).waitFor();
  await page.locator('.notice', { hasText: /^Too many series for this page: crowd\. .*\/query.*"where"/ }).waitFor();
  await page.locator('[data-panel="all"]').getByText('Too many series for this page').waitFor();
  const text = await page.locator('main').innerText();
  for (const untrue of [/no data/i, /Nothing in the last/, /first sample/i]) assert.doesNotMatch(text, untrue);
  // The gateway has the figure that the page has not.
  const address = await card(page, 'all').getByRole('link', { name: 'Ask the gateway for Everybody' }).getAttribute('href');
  const { result } = await (await fetch(address)).json();
  assert.equal(result, 200);
  watch.check();
  await context.close();
  await gateway.stop();
});

test('a board that asks for fewer of them has their figure', async () => {
  const gateway = await startGateway({ flags: ['--no-host-metrics', '--board', board('crowd-narrow')] });
  await crowd(gateway);
  const { page, context, watch } = await openPage(browser, { allowed: [gateway.url] });
  await page.goto(gateway.url);
  await live(page);
  await figureIs(page, 'north', (text) => /^200\s?ms$/.test(text), '200 ms');
  await card(page, 'rest').locator('.badge', { hasText: 'No figure' }).waitFor();
  await page.locator('[data-status]', {
    hasText: 'The target is met. 1 target cannot be judged here: too many series for this page.',
  }).waitFor();
  watch.check();
  await context.close();
  await gateway.stop();
});
