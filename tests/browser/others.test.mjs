// Metrics that no board names: found, drawn a few at a time, and never so many that the page stands still.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { launch, openPage } from './support/chromium.mjs';
import { startGateway } from './support/gateway.mjs';
import { live } from './support/overview.mjs';

/** A board that names one metric. */
const booking = path.join(import.meta.dirname, 'boards/booking.json');

let browser;
let gateway;
before(async () => {
  browser = await launch();
  gateway = await startGateway({ flags: ['--no-host-metrics', '--board', booking] });
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
});

test('a metric that nobody has named is found, drawn live, and leaves again', async () => {
  // Before the second in which the next values come: a point of the chart is the average of its second.
  const timestamp = Date.now() - 3_000;
  await gateway.ingest([
    { name: 'queue_depth', value: 3, timestamp, kind: 'gauge', labels: { shard: '0' } },
    { name: 'queue_depth', value: 5, timestamp, kind: 'gauge', labels: { shard: '1' } },
    { name: 'booking_response_time', value: 120 },
  ]);
  const { page, context, watch } = await openPage(browser, { allowed: [gateway.url] });
  const asked = [];
  page.on('request', (request) => request.url().includes('/api/v1/metrics') && asked.push(request.url()));
  await page.goto(gateway.url);
  await live(page);
  assert.equal(await page.locator('[data-panel="queue_depth"]').count(), 0);
  assert.equal(asked.length, 0, 'nothing is asked for until somebody wants it');
  const heading = page.getByRole('heading', { name: 'Other metrics' });
  await heading.click();
  const panel = page.locator('[data-panel="queue_depth"]');
  await panel.getByText('shard 0', { exact: true }).waitFor();
  assert.match(await panel.locator('canvas').getAttribute('aria-label'), /shard 0: latest 3( at [^,]*)?, .*shard 1: latest 5( at [^,]*)?,/);
  assert.equal(await page.locator('[data-panel="booking_response_time"]').count(), 0, 'the board names it');
  await gateway.ingest([{ name: 'queue_depth', value: 8, kind: 'gauge', labels: { shard: '0' } }]);
  await panel.locator('.legend-value', { hasText: /^8$/ }).waitFor();
  // What comes later is found without a reload.
  await gateway.ingest([{ name: 'cache_bytes', value: 2500, kind: 'gauge' }]);
  await page.locator('[data-panel="cache_bytes"] .legend-value', { hasText: '2.50 kB' }).waitFor({ timeout: 20_000 });
  await heading.click();
  await panel.waitFor({ state: 'detached' });
  watch.check();
  await context.close();
});

test('ten thousand series neither freeze the page nor go missing without a word', async () => {
  const own = await startGateway({ flags: ['--no-host-metrics', '--board', booking] });
  for (const part of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]) {
    const sample = (_, place) => ({ name: 'huge', value: place, kind: 'gauge', labels: { customer: `${part}-${place}` } });
    await own.ingest(Array.from({ length: 1_000 }, sample));
  }
  // Metrics enough for more than one page of them, each of a few series.
  const small = Array.from({ length: 80 }, (_, place) => ({ name: `a_small_${String(place).padStart(2, '0')}`, value: place, kind: 'gauge' }));
  await own.ingest([...small, { name: 'booking_response_time', value: 120 }]);
  const { page, context, watch } = await openPage(browser, { allowed: [own.url] });
  await page.goto(own.url);
  await live(page);
  await page.getByRole('heading', { name: 'Other metrics' }).click();
  // Beside these 81 there are the gateway's own.
  await page.getByText(/\d+ metrics that the board does not name, 12 of them drawn\./).waitFor();
  await page.getByText('Too many series to be drawn here: huge (10,000 series)').waitFor();
  await page.locator('[data-panel="a_small_00"] .legend-value', { hasText: /^0$/ }).waitFor();
  assert.equal(await page.locator('.others canvas').count(), 12);
  const more = page.getByRole('button', { name: 'Show more' });
  await more.click();
  await page.locator('[data-panel="a_small_23"] .legend-value', { hasText: /^23$/ }).waitFor();
  for (let press = 0; press < 3; press += 1) await more.click();
  await page.locator('[data-panel="a_small_59"] .legend-value', { hasText: /^59$/ }).waitFor();
  await page.getByText(/\d\d more are not drawn: a page draws no more at once/).waitFor();
  assert.equal(await more.count(), 0);
  assert.equal(await page.locator('[data-panel="huge"]').count(), 0);
  watch.check();
  await context.close();
  await own.stop();
});
