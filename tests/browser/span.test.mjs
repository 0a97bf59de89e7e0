// Any span of the past: figures, charts and alerts as they were at its end, in the address, by mouse, keyboard and fields.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { accessible, looks } from './support/axe.mjs';
import { launch, openPage } from './support/chromium.mjs';
import { startGateway, until } from './support/gateway.mjs';
import { banner, figure, figureIs, live } from './support/overview.mjs';

const MINUTE_MS = 60_000;

let browser;
let gateway;
/** Three hours ago: half an hour of samples ends there, too deep in its last ten minutes but five. */
let end;
before(async () => {
  browser = await launch();
  const board = path.join(import.meta.dirname, 'boards/span.json');
  gateway = await startGateway({ flags: ['--no-host-metrics', '--board', board] });
  end = Math.floor(Date.now() / 10_000) * 10_000 - 180 * MINUTE_MS;
  const value = (agoMs) => (agoMs <= 5 * MINUTE_MS ? 7 : agoMs <= 15 * MINUTE_MS ? 90 : 20);
  await gateway.ingest(Array.from({ length: 180 }, (_, ago) => (
    { name: 'depth', value: value(ago * 10_000), timestamp: end - ago * 10_000, kind: 'gauge' }
  )));
  await gateway.ingest({ name: 'depth', value: 33, kind: 'gauge' });
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
});

const address = (from, to, view = '') => `${gateway.url}/#/${view}?window=5m&from=${from}&to=${to}`;
const bar = (page) => page.getByRole('region', { name: 'Time range' });
const button = (page, name) => bar(page).getByRole('button', { name, exact: true });
const slider = (page) => page.getByRole('slider', { name: 'Depth, point by point' });
/** Waits until the page stands at a span that ends at `to`. */
const standsAt = (page, pattern) => bar(page).getByRole('status').filter({ hasText: pattern }).waitFor();
const shown = (page) => standsAt(page, /^As of .*, not live: /);
const span = (page) => [...page.url().matchAll(/(?:from|to)=(\d+)/g)].map(([, ms]) => Number(ms));
/** Waits until the address has another span than `before`, and the page stands at it. */
async function turned(page, before) {
  await until(async () => span(page).join() !== before.join(), 'the address says another span');
  await shown(page);
  return span(page);
}

test('an address of then shows figures, charts and alerts as they were then, and nothing moves', async () => {
  const { page, context, watch } = await openPage(browser, { allowed: [gateway.url] });
  await page.goto(address(end - 30 * MINUTE_MS, end - 10 * MINUTE_MS));
  await shown(page);
  await figureIs(page, 'depth', (text) => text === '90', '90');
  await banner(page, 'Deep').filter({ hasText: 'Firing' }).waitFor();
  assert.equal(await banner(page, 'Deep').getAttribute('role'), 'status', 'what once was calls nobody');
  await page.locator('[data-status]', { hasText: /^As of .*, not live\. The target was not met: Depth now\. Alert Deep was firing\.$/ }).waitFor();
  await page.locator('[data-connection]', { hasText: 'Not live' }).waitFor();
  assert.match(await page.locator('[data-panel="depth"] canvas').getAttribute('aria-label'), /latest 90, between 20 and 90/);

  // What comes meanwhile changes nothing here.
  await gateway.ingest({ name: 'depth', value: 44, kind: 'gauge' });
  await until(async () => (await (await fetch(`${gateway.url}/query?name=depth&window=5m&agg=max`)).json()).result === 44, 'the gateway has it');
  const now = await openPage(browser, { allowed: [gateway.url] });
  await now.page.goto(gateway.url);
  await figureIs(now.page, 'depth', (text) => text === '44', '44');
  now.watch.check();
  await now.context.close();
  assert.equal(await figure(page, 'depth'), '90');

  // The address is all of it: a colleague sees the same.
  const other = await openPage(browser, { allowed: [gateway.url] });
  await other.page.goto(page.url());
  await shown(other.page);
  await figureIs(other.page, 'depth', (text) => text === '90', '90');
  other.watch.check();
  await other.context.close();

  // On paper stands of when it is, and nothing to press.
  await page.emulateMedia({ media: 'print' });
  assert.ok(await bar(page).getByText(/^As of/).isVisible());
  assert.equal(await bar(page).getByLabel('From').isVisible(), false);
  assert.equal(await button(page, 'Earlier').isVisible(), false);
  await page.emulateMedia({ media: null });

  // A little later it was over, and told as resolved; before it began nothing was wrong.
  await page.goto(address(end - 30 * MINUTE_MS, end - 4 * MINUTE_MS));
  await banner(page, 'Deep').filter({ hasText: 'Resolved' }).waitFor();
  await page.goto(address(end - 30 * MINUTE_MS, end - 16 * MINUTE_MS));
  await figureIs(page, 'depth', (text) => text === '20', '20');
  await page.locator('[data-status]', { hasText: 'The target was met. No alert was firing.' }).waitFor();
  await page.goto(address(end - 30 * MINUTE_MS, end - 14 * MINUTE_MS));
  await banner(page, 'Deep').filter({ hasText: 'Pending' }).waitFor();

  // What came while it stood still is there at once.
  await page.getByRole('banner').getByRole('button', { name: 'Live' }).click();
  await live(page);
  await figureIs(page, 'depth', (text) => text === '44', '44');
  assert.match(page.url(), /#\/\?window=5m$/);
  watch.check();
  await context.close();
});

test('a drag zooms, keys and buttons step, and the browser goes back', async () => {
  const { page, context, watch } = await openPage(browser, { allowed: [gateway.url] });
  const whole = [end - 30 * MINUTE_MS, end];
  await page.goto(address(...whole));
  await shown(page);
  await slider(page).waitFor();
  const box = await slider(page).boundingBox();
  const middle = box.y + box.height / 2;
  await page.mouse.move(box.x + box.width * 0.5, middle);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.75, middle, { steps: 6 });
  assert.equal(await page.locator('.strip-drag').count(), 1);
  await page.mouse.up();
  const zoomed = await turned(page, whole);
  const length = zoomed[1] - zoomed[0];
  assert.ok(length > 5 * MINUTE_MS && length < 10 * MINUTE_MS, `${length / MINUTE_MS} min`);
  assert.ok(zoomed[0] > whole[0] && zoomed[1] < whole[1]);

  await slider(page).focus();
  await page.keyboard.press('Shift+ArrowLeft');
  const earlier = await turned(page, zoomed);
  assert.equal(earlier[1] - earlier[0], length);
  assert.equal(earlier[1], zoomed[1] - Math.floor(length / 2));
  await slider(page).focus();
  await page.keyboard.press('+');
  const nearer = await turned(page, earlier);
  assert.equal(nearer[1] - nearer[0], Math.floor(length / 2));
  await button(page, 'Zoom out').click();
  const wider = await turned(page, nearer);
  await button(page, 'Later').click();
  await turned(page, wider);

  await page.goBack();
  await until(async () => span(page).join() === wider.join(), 'back is a step back');
  await shown(page);
  await page.goBack();
  await page.goBack();
  await page.goBack();
  await until(async () => span(page).join() === zoomed.join(), 'back to what was dragged');
  await page.goBack();
  await until(async () => span(page).join() === whole.join(), 'back to the whole');
  await shown(page);
  await button(page, 'Back to live').click();
  await live(page);
  watch.check();
  await context.close();
});

test('where nothing had come the page says so of then, and leads on', async () => {
  const { page, context, watch } = await openPage(browser, { allowed: [gateway.url] });
  const empty = [end - 300 * MINUTE_MS, end - 290 * MINUTE_MS];
  await page.goto(address(...empty));
  await shown(page);
  await page.getByText('No data in this window').first().waitFor();
  assert.equal(await page.getByText('Waiting for the first sample').count(), 0);
  // The keys lead on from an empty chart too.
  await slider(page).focus();
  await page.keyboard.press('Shift+ArrowRight');
  await turned(page, empty);
  // Back at now the reader is not lost.
  await button(page, 'Back to live').click();
  await live(page);
  await until(() => page.evaluate(() => document.activeElement?.id === 'view'), 'the heading has the focus');
  watch.check();
  await context.close();
});

test('of many steps in a row the last counts, and the connection holds', async () => {
  const { page, context, watch } = await openPage(browser, { allowed: [gateway.url] });
  const first = [end - 30 * MINUTE_MS, end];
  await page.goto(address(...first));
  await shown(page);
  await slider(page).focus();
  // As a key that is held down: more than a gateway takes messages in a minute.
  for (let step = 0; step < 60; step += 1) {
    await page.keyboard.press('Shift+ArrowLeft');
    await page.keyboard.press('Shift+ArrowRight');
  }
  await page.keyboard.press('+');
  await until(async () => span(page)[1] - span(page)[0] === 15 * MINUTE_MS, 'the last step is in the address');
  await shown(page);
  await page.locator('[data-connection]', { hasText: 'Not live' }).waitFor();
  assert.equal(await page.getByText('The gateway refuses').count(), 0);
  await button(page, 'Back to live').click();
  await live(page);
  watch.check();
  await context.close();
});

test('fields take any span, and say what is wrong with one', async () => {
  const { page, context, watch } = await openPage(browser, { allowed: [gateway.url], timezoneId: 'America/New_York' });
  await page.goto(gateway.url);
  await live(page);
  const opener = page.getByRole('button', { name: 'Time range' });
  assert.equal(await opener.getAttribute('aria-expanded'), 'false');
  await opener.click();
  assert.equal(await opener.getAttribute('aria-expanded'), 'true');
  const [from, to] = [bar(page).getByLabel('From'), bar(page).getByLabel('To')];
  // As a reader in New York writes it.
  const written = (ms) => new Date(ms).toLocaleString('sv-SE', { timeZone: 'America/New_York' }).replace(' ', 'T');
  const show = bar(page).getByRole('button', { name: 'Show' });
  const fault = bar(page).getByRole('alert');
  await from.fill(written(end));
  await to.fill(written(end - MINUTE_MS));
  await show.click();
  await fault.filter({ hasText: /^"To" must be at least 10\ss after "From"\.$/ }).waitFor();
  await to.fill(written(end + 86_400_000));
  await show.click();
  await fault.filter({ hasText: '"To" is in the future' }).waitFor();
  await from.fill(written(end - 120 * 86_400_000));
  await to.fill(written(end));
  await show.click();
  await fault.filter({ hasText: /^At most 90\sdays can be shown at once/ }).waitFor();
  await from.fill(written(end - 20 * MINUTE_MS));
  await to.fill(written(end - 10 * MINUTE_MS));
  await to.press('Enter');
  await shown(page);
  assert.deepEqual(span(page), [end - 20 * MINUTE_MS, end - 10 * MINUTE_MS]);
  await figureIs(page, 'depth', (text) => text === '90', '90');
  assert.equal(await fault.count(), 0);
  // Of the hour that comes twice at the end of summer time the field cannot say which; what nobody has written in stays what it was.
  const twice = Date.UTC(2025, 10, 2, 6, 10);
  await page.goto(address(twice - 20 * MINUTE_MS, twice));
  await shown(page);
  const before = Date.UTC(2025, 10, 2, 4, 30);
  await from.fill(written(before));
  await show.click();
  await until(async () => span(page).join() === [before, twice].join(), 'the end is the one of the address');
  await shown(page);
  await page.goto(address(end - 20 * MINUTE_MS, end - 10 * MINUTE_MS));
  await shown(page);
  // The windows of the head are presets: so much up to the same end.
  await page.getByRole('radio', { name: /^15\smin$/ }).check({ force: true });
  await until(async () => span(page).join() === [end - 25 * MINUTE_MS, end - 10 * MINUTE_MS].join(), 'a quarter of an hour up to then');
  await shown(page);
  watch.check();
  await context.close();
});

test('every view stands at the span', async () => {
  const { page, context, watch } = await openPage(browser, { allowed: [gateway.url] });
  const then = [end - 30 * MINUTE_MS, end - 10 * MINUTE_MS];
  await page.goto(address(...then, 'alerts'));
  await shown(page);
  await banner(page, 'Deep').filter({ hasText: 'Firing' }).waitFor();
  await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: 'Explore' }).click();
  assert.deepEqual(span(page), then);
  await page.goto(`${address(...then, 'explore')}&metric=depth&agg=max`);
  await page.locator('canvas[aria-label*="between 20 and 90"]').waitFor();
  await page.goto(address(...then, 'kpi/depth'));
  await page.locator('canvas[aria-label*="latest 90"]').waitFor();
  watch.check();
  await context.close();
});

test('a finger zooms around what it has touched', async () => {
  const touch = { viewport: { width: 390, height: 844 }, hasTouch: true };
  const { page, context, watch } = await openPage(browser, { allowed: [gateway.url], ...touch });
  const whole = [end - 30 * MINUTE_MS, end - 10 * MINUTE_MS];
  await page.goto(address(...whole));
  await shown(page);
  await slider(page).scrollIntoViewIfNeeded();
  const box = await slider(page).boundingBox();
  await page.touchscreen.tap(box.x + box.width * 0.8, box.y + box.height / 2);
  await page.locator('.strip-cursor line').waitFor({ state: 'attached' });
  await button(page, 'Zoom in').tap();
  const zoomed = await turned(page, whole);
  assert.equal(zoomed[1] - zoomed[0], 10 * MINUTE_MS);
  // The middle would be five minutes later than the beginning.
  assert.ok(zoomed[0] > whole[0] + 7 * MINUTE_MS, `${(zoomed[0] - whole[0]) / MINUTE_MS} min`);
  watch.check();
  await context.close();
});

for (const look of looks) {
  test(`a span of the past, ${look.colorScheme}, ${look.viewport.width} px wide, is accessible`, async () => {
    const { page, context, watch } = await openPage(browser, { allowed: [gateway.url], ...look });
    await page.goto(address(end - 30 * MINUTE_MS, end - 10 * MINUTE_MS));
    await shown(page);
    await banner(page, 'Deep').waitFor();
    await bar(page).getByLabel('To').fill('2020-01-01T00:00:00');
    await bar(page).getByRole('button', { name: 'Show' }).click();
    await bar(page).getByRole('alert').waitFor();
    await accessible(page, 'a span of the past');
    watch.check();
    await context.close();
  });
}
