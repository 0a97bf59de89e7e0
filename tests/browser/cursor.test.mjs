// What every chart says at one instant: by pointer, by keyboard and by finger.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { accessible, looks } from './support/axe.mjs';
import { launch, openPage } from './support/chromium.mjs';
import { startGateway } from './support/gateway.mjs';
import { live } from './support/overview.mjs';

let browser;
let gateway;
before(async () => {
  browser = await launch();
  const board = path.join(import.meta.dirname, 'boards/pair.json');
  gateway = await startGateway({ flags: ['--no-host-metrics', '--board', board] });
  // A sample each 10 s; at every instant one chart has a hundred and the other a thousand more than the first.
  const end = Math.floor(Date.now() / 1_000) * 1_000 - 2_000;
  await gateway.ingest(Array.from({ length: 24 }, (_, ago) => ago).flatMap((ago) => {
    const timestamp = end - ago * 10_000;
    const value = 24 - ago;
    return [
      { name: 'depth', value, timestamp, kind: 'gauge' },
      { name: 'deeper', value: value + 100, timestamp, kind: 'gauge', labels: { pool: 'East' } },
      { name: 'deeper', value: value + 1_000, timestamp, kind: 'gauge', labels: { pool: 'West' } },
    ];
  }));
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
});

const slider = (page, title) => page.getByRole('slider', { name: `${title}, point by point` });
const lines = (page) => page.locator('.strip-cursor line');
const values = async (page) => (await page.locator('.legend-value').allTextContents()).map((text) => Number(text.replace(/[^\d]/g, '')));

/** A page whose picture stands still, so that the figures of an instant stay where they are. */
async function paused(options) {
  const opened = await openPage(browser, { allowed: [gateway.url], ...options });
  await opened.page.goto(gateway.url);
  await live(opened.page);
  await slider(opened.page, 'Deeper').waitFor();
  await opened.page.getByRole('button', { name: 'Pause' }).click();
  await opened.page.locator('[data-connection]', { hasText: 'Paused' }).waitFor();
  return opened;
}

/** Waits until the first chart says `depth`, and holds the others to it. */
async function says(page, depth) {
  await page.waitForFunction((wanted) => document.querySelector('[data-panel="depth"] .legend-value').textContent.startsWith(wanted), `${depth}`);
  assert.deepEqual(await values(page), [depth, depth + 100, depth + 1_000]);
}

test('keys go from point to point of one chart, and every chart says its figures there', async () => {
  const { page, context, watch } = await paused();
  assert.deepEqual(await values(page), [24, 124, 1_024]);
  await slider(page, 'Depth').focus();
  assert.equal(await slider(page, 'Depth').getAttribute('aria-valuetext'), 'The arrow keys go from point to point');
  await page.keyboard.press('ArrowLeft');
  await says(page, 24);
  await page.keyboard.press('ArrowLeft');
  await says(page, 23);
  assert.equal(await lines(page).count(), 2, 'one across each chart');
  assert.equal(await page.locator('.strip-cursor circle').count(), 3, 'a dot on each line');
  // What a screen reader says of the slider that has the keyboard.
  const said = (title) => slider(page, title).getAttribute('aria-valuetext');
  assert.match(await said('Depth'), /^\d\d:\d\d:\d\d: 23\s?m$/);
  assert.match(await said('Deeper'), /^\d\d:\d\d:\d\d: East 123\s?m; West 1,023\s?m$/);
  await page.keyboard.press('PageDown');
  await says(page, 13);
  await page.keyboard.press('Home');
  await says(page, 1);
  await page.keyboard.press('ArrowRight');
  await says(page, 2);
  await page.keyboard.press('End');
  await says(page, 24);
  await page.keyboard.press('ArrowLeft');
  await says(page, 23);
  await page.keyboard.press('Escape');
  await says(page, 24);
  assert.equal(await lines(page).count(), 0);
  // So does leaving the chart.
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowLeft');
  await says(page, 23);
  await page.keyboard.press('Tab');
  await says(page, 24);
  watch.check();
  await context.close();
});

test('the pointer reads all charts, none of which is drawn anew for it', async () => {
  const { page, context, watch } = await paused();
  await page.evaluate(() => {
    globalThis.drawings = 0;
    const clear = CanvasRenderingContext2D.prototype.clearRect;
    CanvasRenderingContext2D.prototype.clearRect = function (...where) {
      globalThis.drawings += 1;
      return clear.apply(this, where);
    };
  });
  const box = await slider(page, 'Deeper').boundingBox();
  const middle = box.y + box.height / 2;
  await page.mouse.move(box.x + box.width - 1, middle);
  await says(page, 24);
  await lines(page).first().waitFor({ state: 'attached' });
  await page.mouse.move(box.x + box.width * 0.6, middle, { steps: 8 });
  await page.waitForFunction(() => Number.parseInt(document.querySelector('.legend-value').textContent, 10) < 20);
  const [depth] = await values(page);
  assert.ok(depth > 8 && depth < 20, `${depth} in the middle`);
  await says(page, depth);
  assert.match(await page.locator('.strip-cursor text').first().textContent(), /^\d\d:\d\d:\d\d$/);
  await page.mouse.move(box.x - 30, middle);
  await says(page, 24);
  assert.equal(await lines(page).count(), 0);
  assert.equal(await page.evaluate(() => globalThis.drawings), 0);
  watch.check();
  await context.close();
});

test('a finger leaves the figures of the place that it touched', async () => {
  const { page, context, watch } = await paused({ viewport: { width: 360, height: 800 }, hasTouch: true });
  const box = await slider(page, 'Depth').boundingBox();
  await page.touchscreen.tap(box.x + box.width * 0.6, box.y + box.height / 2);
  await lines(page).first().waitFor({ state: 'attached' });
  const [depth, east] = await values(page);
  assert.ok(depth > 8 && depth < 20, `${depth} in the middle`);
  assert.equal(east, depth + 100);
  watch.check();
  await context.close();
});

test('another window, and another view, begin without a cursor', async () => {
  const { page, context, watch } = await paused();
  await slider(page, 'Depth').hover();
  await lines(page).first().waitFor({ state: 'attached' });
  await page.keyboard.press('Escape');
  await slider(page, 'Depth').focus();
  await page.keyboard.press('Home');
  await says(page, 1);
  await page.evaluate(() => { location.hash = '#/?window=15m'; });
  await page.waitForFunction(() => document.querySelectorAll('.strip-cursor line').length === 0);
  watch.check();
  await context.close();
});

for (const look of looks) {
  test(`charts with a cursor, ${look.colorScheme}, ${look.viewport.width} px wide, are accessible`, async () => {
    const { page, context, watch } = await paused(look);
    await slider(page, 'Deeper').focus();
    await page.keyboard.press('ArrowLeft');
    await lines(page).first().waitFor({ state: 'attached' });
    // Below the head of the page, which stays in its place, other parts would be half hidden.
    await page.evaluate(() => scrollTo(0, 0));
    await accessible(page, 'cursor');
    watch.check();
    await context.close();
  });
}
