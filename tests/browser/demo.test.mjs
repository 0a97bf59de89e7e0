// The two stories as a simulation: told in full, and never to be taken for real figures.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, openPage } from './support/chromium.mjs';
import { startGateway } from './support/gateway.mjs';
import { card, figure, live } from './support/overview.mjs';

let browser;
let gateway;
before(async () => {
  [browser, gateway] = await Promise.all([launch(), startGateway({ flags: ['--demo'] })]);
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
});

test('a simulation says that it is one, and tells both stories from the first second', async () => {
  const { page, context, watch } = await openPage(browser, { allowed: [gateway.url] });
  await page.goto(gateway.url);
  await live(page);
  await page.locator('header').getByText('Simulation', { exact: true }).waitFor();
  for (const id of ['booking-response-time', 'resolution-time', 'satisfaction', 'conflicts']) {
    await card(page, id).locator('.figure-value', { hasText: /\d/ }).waitFor();
  }
  // The page's own engine and the gateway's scorecard give the same figures.
  const scorecard = await (await fetch(`${gateway.url}/api/v1/dashboard`)).json();
  const shown = async (id) => Number.parseFloat(await figure(page, id));
  assert.ok(Math.abs((await shown('resolution-time')) - scorecard.avg_resolution_time) < 0.01);
  assert.ok(Math.abs((await shown('satisfaction')) - scorecard.avg_satisfaction) < 0.01);
  assert.equal(await shown('conflicts'), scorecard.total_conflicts);
  watch.check();
  await context.close();
});

test('a gateway without a simulation shows no such label', async () => {
  const real = await startGateway();
  const { page, context, watch } = await openPage(browser, { allowed: [real.url] });
  await page.goto(real.url);
  await live(page);
  assert.equal(await page.getByText('Simulation', { exact: true }).count(), 0);
  watch.check();
  await context.close();
  await real.stop();
});
