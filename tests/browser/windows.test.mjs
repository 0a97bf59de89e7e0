// How far the page looks back: from minutes to 90 days. What is longer than an hour is asked for when it is chosen.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { accessible, looks } from './support/axe.mjs';
import { launch, openPage } from './support/chromium.mjs';
import { startGateway, until } from './support/gateway.mjs';
import { live, table } from './support/overview.mjs';

const HOUR_MS = 3_600_000;

let browser;
let gateway;
before(async () => {
  browser = await launch();
  const board = path.join(import.meta.dirname, 'boards/agencies.json');
  gateway = await startGateway({ flags: ['--no-host-metrics', '--board', board] });
  const now = Date.now();
  // One case an hour over the last 60 days: the last one takes 2 days, those of the last day and a half 4, older ones 8.
  const days = (hours) => (hours < 1 ? 2 : hours < 36 ? 4 : 8);
  const cases = Array.from({ length: 60 * 24 }, (_, hours) => ({
    name: 'resolution_time',
    value: days(hours),
    timestamp: now - hours * HOUR_MS - 60_000,
    labels: { agency: 'Housing' },
  }));
  await gateway.ingest(cases);
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
});

const choose = (page, name) => page.getByRole('radio', { name: new RegExp(`^${name.replace(' ', '\\s')}$`) }).check({ force: true });
/** Waits until the chart says, in words, what matches `pattern`. */
async function summary(page, pattern) {
  const canvas = page.locator('[data-panel="by-agency"] canvas');
  let said = '';
  await until(async () => pattern.test((said = (await canvas.getAttribute('aria-label')) ?? '')), `the chart says ${pattern}`)
    .catch((error) => { throw new Error(`${error.message}; it says "${said}"`); });
}

test('a longer window asks for its history when it is chosen, and never twice', async () => {
  const { page, context, watch } = await openPage(browser, { allowed: [gateway.url] });
  const asked = [];
  page.on('websocket', (socket) =>
    socket.on('framesent', ({ payload }) => {
      const frame = JSON.parse(payload);
      if (frame.type === 'subscribe') asked.push(frame.metrics[0].range);
    }),
  );
  await page.goto(gateway.url);
  await live(page);
  await summary(page, /the last 5\smin: Housing: latest 2\sdays/);
  assert.equal(asked.length, 1);
  await choose(page, '1 day');
  await summary(page, /the last 1\sday: Housing: latest \S+\sdays.*, between \S+\sdays and 4\sdays\. Each point is made of the 1\sh before it/);
  await choose(page, '7 days');
  await summary(page, /the last 7\sdays: Housing: latest \S+\sdays.*, between \S+\sdays and 8\sdays\. Each point is made of the 1\sh before it/);
  assert.match(page.url(), /window=7d/);
  assert.equal(asked.length, 3);
  await choose(page, '5 min');
  await choose(page, '1 day');
  await summary(page, /the last 1\sday:/);
  assert.equal(asked.length, 3, 'what is here is not asked for again');
  watch.check();
  await context.close();
});

test('an address with a long window is filled at once, and its table has dates', async () => {
  const { page, context, watch } = await openPage(browser, { allowed: [gateway.url] });
  await page.goto(`${gateway.url}/#/?window=90d`);
  await live(page);
  await summary(page, /the last 90\sdays: Housing: latest .*, between \S+\sdays and 8\sdays/);
  const times = (await table(page, 'by-agency')).map(([time]) => time);
  assert.ok(times.length >= 8, `${times}`);
  assert.match(times[1], /\d{4}/, 'a time of day says nothing over days');
  watch.check();
  await context.close();
});

test('what stands still is not said to be live', async () => {
  const { page, context, watch } = await openPage(browser, { allowed: [gateway.url] });
  await page.goto(gateway.url);
  await live(page);
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.locator('[data-connection]', { hasText: 'Paused' }).waitFor();
  assert.equal(await page.locator('[data-connection]', { hasText: 'Live' }).count(), 0);
  await page.getByRole('button', { name: 'Resume' }).click();
  await live(page);
  watch.check();
  await context.close();
});

for (const look of looks) {
  test(`a week, ${look.colorScheme}, ${look.viewport.width} px wide, is accessible`, async () => {
    const { page, context, watch } = await openPage(browser, { allowed: [gateway.url], ...look });
    await page.goto(`${gateway.url}/#/?window=7d`);
    await live(page);
    await summary(page, /the last 7\sdays/);
    await accessible(page, 'a week');
    watch.check();
    await context.close();
  });
}
