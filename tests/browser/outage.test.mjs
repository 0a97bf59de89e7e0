// The gateway goes away and comes back: the page says so, keeps what it knew, and catches up.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, openPage } from './support/chromium.mjs';
import { startGateway, temporaryFolder } from './support/gateway.mjs';
import { figureIs, live } from './support/overview.mjs';

let browser;
const disk = temporaryFolder();
before(async () => {
  browser = await launch();
});
after(async () => {
  await browser?.close();
  disk.remove();
});

test('what was acknowledged before a kill is on the page after the restart, and counted once', async (t) => {
  const flags = ['--no-host-metrics'];
  const first = await startGateway({ flags, dataDir: disk.folder });
  const { page, context, watch } = await openPage(browser, { allowed: [first.url] });
  // While the gateway is away each attempt to reach it is a network error that no page can prevent.
  watch.expect(/WebSocket connection to .* failed|ERR_CONNECTION_(REFUSED|RESET)/);
  await page.goto(first.url);
  await live(page);
  await first.ingest([{ name: 'booking_response_time', value: 100 }, { name: 'booking_response_time', value: 200 }]);
  await figureIs(page, 'booking-response-time', (text) => /^150\s?ms$/.test(text), '150 ms');
  await first.ingest([{ name: 'booking_response_time', value: 240 }]);
  await first.kill();

  await page.locator('[data-connection]', { hasText: /Reconnecting (in \d+\ss|now)/ }).waitFor();
  assert.match(await page.locator('[data-kpi="booking-response-time"] .figure-value').innerText(), /\d\s?ms/);
  // What is shown is of the last instant that is known, and nothing is said of now.
  const asOf = /^As of (\d\d:\d\d:\d\d); nothing newer is known\. .*No alert was firing\.$/;
  const status = page.locator('[data-status]');
  await status.filter({ hasText: asOf }).waitFor();
  assert.equal(await status.locator('xpath=self::*[contains(@class, "status-well")]').count(), 0);
  const cutOffAt = await page.evaluate(() => performance.now());
  await page.waitForFunction((start) => performance.now() > start + 1_500, cutOffAt);
  const [, settled] = (await status.innerText()).match(asOf);
  await page.waitForFunction((start) => performance.now() > start + 4_000, cutOffAt);
  assert.equal((await status.innerText()).match(asOf)[1], settled, 'the picture stands still');
  assert.match(await page.locator('.page-footer').innerText(), new RegExp(`As of ${settled}`));
  await page.getByText(`Nothing answers at ${first.url}.`).waitFor();
  await page.getByText(`What is shown was known at ${settled};`).waitFor();
  await page.locator('[data-kpi="booking-response-time"] .badge', { hasText: `Met at ${settled}` }).waitFor();

  const second = await startGateway({ flags, dataDir: disk.folder, port: first.port });
  t.after(() => second.stop());
  await live(page);
  await status.filter({ hasText: /^(?!As of).*No alert is firing\.$/ }).waitFor();
  await figureIs(page, 'booking-response-time', (text) => /^180\s?ms$/.test(text), '180 ms');
  const count = await (await fetch(`${second.url}/query?name=booking_response_time&window=5m&agg=count`)).json();
  assert.equal(count.result, 3);
  watch.check();
  await context.close();
});

test('a chart that does not come, or that Plotly refuses, says so, and the next panel tries again', async () => {
  const gateway = await startGateway();
  const { page, context, watch } = await openPage(browser, { allowed: [gateway.url] });
  watch.expect(/plotly-basic.*|ERR_FAILED/);
  await page.route('**/plotly-basic.min.js', (route) => route.abort());
  await page.goto(`${gateway.url}/#/panel/host-cpu`);
  await page.getByText('The next panel that you open tries again').waitFor();
  assert.equal(await page.locator('script[src*="plotly"]').count(), 0, 'no element stays behind');
  await page.unroute('**/plotly-basic.min.js');
  const refusing = "window.Plotly = { react: () => Promise.reject(new Error('no room')), purge() {}, register() {} };";
  await page.route('**/plotly-basic.min.js', (route) => route.fulfill({ contentType: 'text/javascript', body: refusing }));
  await page.goto(`${gateway.url}/#/panel/host-memory`);
  await page.getByText('The chart cannot be drawn: no room.').waitFor();
  assert.equal(await page.locator('script[src*="plotly-basic"]').count(), 1);
  watch.check();
  await context.close();
  await gateway.stop();
});

test('the kept theme is in force before the page starts, also where nothing may be kept', async () => {
  const gateway = await startGateway();
  const { page, context, watch } = await openPage(browser, { allowed: [gateway.url], colorScheme: 'light' });
  // The page itself never starts: what is seen is what stands before.
  await page.route('**/boot.js*', (route) => route.fulfill({ contentType: 'text/javascript', body: '' }));
  const theme = () => page.evaluate(() => document.documentElement.dataset.theme);
  await page.goto(gateway.url);
  assert.equal(await theme(), undefined);
  await page.evaluate(() => localStorage.setItem('bellwether.theme', 'dark'));
  await page.reload();
  assert.equal(await theme(), 'dark');
  await page.addInitScript(() => {
    Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('forbidden', 'SecurityError'); } });
  });
  await page.reload();
  assert.equal(await theme(), undefined);
  watch.check();
  await context.close();
  await gateway.stop();
});
