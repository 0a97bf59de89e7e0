// Every state of the page passes axe (WCAG 2.2 AA), light and dark, wide and narrow, and by keyboard.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import { launch, openPage } from './support/chromium.mjs';
import { startGateway } from './support/gateway.mjs';
import { banner, card, live } from './support/overview.mjs';

const desktop = { width: 1440, height: 900 };
/** A board that shows nothing but what is sent: none of the gateway's own figures. */
const booking = path.join(import.meta.dirname, 'boards/booking.json');
const phone = { width: 360, height: 800 };

let browser;
let busy;
let empty;
before(async () => {
  browser = await launch();
  [busy, empty] = await Promise.all([startGateway(), startGateway({ flags: ['--no-host-metrics', '--board', booking] })]);
  await busy.ingest([900, 950].map((value) => ({ name: 'booking_response_time', value })));
  await busy.ingest([{ name: 'resolution_time', value: 8 }, { name: 'satisfaction', value: 4.5 }, { name: 'conflict', value: 1, kind: 'event' }]);
});
after(async () => {
  await browser?.close();
  await busy?.stop();
  await empty?.stop();
});

async function axe(page, what) {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    .analyze();
  const said = violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.target).join(' | ')}`);
  assert.deepEqual(said, [], what);
}

for (const colorScheme of ['light', 'dark']) {
  for (const viewport of [desktop, phone]) {
    test(`alerting overview and chart, ${colorScheme}, ${viewport.width} px wide`, async () => {
      const { page, context, watch } = await openPage(browser, { allowed: [busy.url], viewport, colorScheme });
      await page.goto(busy.url);
      await live(page);
      await banner(page, 'BookingSlow').waitFor();
      await card(page, 'host-cpu').locator('.figure-value', { hasText: /\d/ }).waitFor();
      await axe(page, 'overview');
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.ok(overflow <= 0, `nothing sticks out at the side (${overflow} px)`);
      await page.goto(`${busy.url}/#/panel/host-cpu`);
      await page.locator('.focus-chart .main-svg').first().waitFor();
      await axe(page, 'chart');
      watch.check();
      await context.close();
    });
  }
}

for (const [name, options] of [
  ['in colours of the system', { forcedColors: 'active' }],
  ['with more contrast', { contrast: 'more' }],
  ['with more contrast, dark', { contrast: 'more', colorScheme: 'dark' }],
]) {
  test(`alerting overview ${name}`, async () => {
    const { page, context, watch } = await openPage(browser, { allowed: [busy.url], ...options });
    await page.goto(busy.url);
    await live(page);
    await banner(page, 'BookingSlow').waitFor();
    await card(page, 'host-cpu').locator('.figure-value', { hasText: /\d/ }).waitFor();
    await axe(page, name);
    // What is chosen is told by more than a colour that the system may take away.
    const [chosen, other] = await page.evaluate(() =>
      ['input:checked', 'input:not(:checked)'].map((state) => {
        const { backgroundColor, color } = getComputedStyle(document.querySelector(`.windows ${state} + span`));
        return `${backgroundColor} ${color}`;
      }),
    );
    assert.notEqual(chosen, other);
    // Lines are drawn in colours that the theme resolves, and there are some.
    const drawn = await page.locator('[data-panel="host-cpu"] canvas').evaluate((canvas) => {
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      return data.some((byte, place) => place % 4 === 3 && byte > 0);
    });
    assert.ok(drawn, 'the chart is drawn');
    watch.check();
    await context.close();
  });
}

test('the empty state says how to send a first sample, and the line works', async () => {
  const { page, context, watch } = await openPage(browser, { allowed: [empty.url] });
  await page.goto(empty.url);
  await page.getByText('Waiting for the first sample').waitFor();
  await axe(page, 'empty');
  assert.match(await page.locator('pre').innerText(), new RegExp(`${empty.url}/ingest`));
  await empty.ingest([{ name: 'booking_response_time', value: 120 }]);
  await card(page, 'booking-response-time').locator('.figure-value', { hasText: '120' }).waitFor();
  watch.check();
  await context.close();
});

test('a page that is cut off passes too', async () => {
  const lost = await startGateway();
  const { page, context, watch } = await openPage(browser, { allowed: [lost.url] });
  watch.expect(/WebSocket connection to .* failed|ERR_CONNECTION_REFUSED/);
  await page.goto(lost.url);
  await live(page);
  await lost.stop();
  await page.getByText('nothing newer is known').waitFor();
  await axe(page, 'cut off');
  watch.check();
  await context.close();
});

test('on paper stand the figures, dark on white, and no controls', async () => {
  const { page, context, watch } = await openPage(browser, { allowed: [busy.url], colorScheme: 'dark', viewport: { width: 794, height: 1123 } });
  await page.goto(busy.url);
  await live(page);
  await card(page, 'host-cpu').locator('.figure-value', { hasText: /\d/ }).waitFor();
  await page.emulateMedia({ media: 'print' });
  for (const gone of ['.controls', '.connection', '.strip-actions', '.table-behind', '.others']) {
    assert.equal(await page.locator(gone).first().isVisible(), false, gone);
  }
  assert.ok(await card(page, 'host-cpu').isVisible());
  const [paper, ink] = await page.evaluate(() => {
    const { backgroundColor } = getComputedStyle(document.documentElement);
    return [backgroundColor, getComputedStyle(document.body).color];
  });
  assert.equal(paper, 'rgb(255, 255, 255)');
  assert.equal(ink, 'rgb(20, 25, 31)');
  watch.check();
  await context.close();
});

test('a keyboard reaches every control, and the focus is seen', async () => {
  const { page, context, watch } = await openPage(browser, { allowed: [busy.url] });
  await page.goto(busy.url);
  await live(page);
  const reached = new Set();
  for (let step = 0; step < 40; step += 1) {
    await page.keyboard.press('Tab');
    const [name, outline] = await page.evaluate(() => {
      const element = document.activeElement;
      if (element === document.body) return ['', ''];
      // A radio's own box is not drawn; its label carries the outline.
      const shown = element.matches('input') ? element.nextElementSibling : element;
      return [(element.textContent || element.value || '').trim(), getComputedStyle(shown).outlineStyle];
    });
    if (name) {
      reached.add(name);
      assert.notEqual(outline, 'none', `the focus on "${name}" is seen`);
    }
  }
  const words = [...reached].join(' | ');
  for (const expected of [/Skip/, /5m/, /Pause/, /Theme/, /Analyse/, /Table/]) assert.match(words, expected);
  watch.check();
  await context.close();
});
