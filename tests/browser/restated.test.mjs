// A sample that was wrong is corrected: the open page takes the figure anew at once, and says that it did.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { accessible } from './support/axe.mjs';
import { launch, openPage } from './support/chromium.mjs';
import { startGateway } from './support/gateway.mjs';
import { card, figureIs, live } from './support/overview.mjs';

let browser;
let gateway;
before(async () => {
  [browser, gateway] = await Promise.all([launch(), startGateway({ flags: ['--no-host-metrics'] })]);
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
});

const correct = (body) =>
  fetch(`${gateway.url}/api/v1/corrections`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });

test('a figure whose sample was corrected says so, in the card and at the chart, also to who comes later', async () => {
  const sample = (value, ref) => ({ name: 'booking_response_time', value, ref });
  await gateway.ingest([sample(120, 'booking 1'), sample(1_400, 'booking 2')]);
  const { page, context, watch } = await openPage(browser, { allowed: [gateway.url] });
  await page.goto(gateway.url);
  await live(page);
  const id = 'booking-response-time';
  await figureIs(page, id, (text) => /^760\s?ms$/.test(text), '760 ms');
  assert.equal(await page.getByText(/restated/).count(), 0, 'nothing is said where nothing was changed');

  assert.equal((await correct({ ref: 'booking 2', action: 'correct', value: 140, reason: 'a zero too many' })).status, 200);
  const says = async (where) => {
    await figureIs(where, id, (text) => /^130\s?ms$/.test(text), '130 ms');
    await card(where, id).getByText(/^restated .*\d/).waitFor();
    await where.locator('[data-panel="booking-average"] .legend', { hasText: /restated .*\d/ }).waitFor();
  };
  await says(page);
  await accessible(page, 'restated');
  assert.equal(await card(page, 'conflicts').getByText(/restated/).count(), 0, 'other figures are as they were');
  await page.reload();
  await live(page);
  await says(page);
  watch.check();
  await context.close();
});
