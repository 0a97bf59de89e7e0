// From view to view, and the view of alerts: what fires, what ended, and when.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { accessible, looks } from './support/axe.mjs';
import { launch, openPage } from './support/chromium.mjs';
import { startGateway, temporaryFolder, until } from './support/gateway.mjs';
import { banner, heading, live, rows, views } from './support/overview.mjs';

let browser;
let gateway;
before(async () => {
  const board = path.join(import.meta.dirname, 'boards/alerts.json');
  [browser, gateway] = await Promise.all([
    launch(),
    startGateway({ flags: ['--no-host-metrics', '--board', board] }),
  ]);
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
});

const group = (page, phase) => page.locator(`[data-phases="${phase}"]`);

test('views are reached by link, by keyboard and by address, and take the focus and the title', async () => {
  const { page, context, watch } = await openPage(browser, { allowed: [gateway.url] });
  await page.goto(`${gateway.url}/#/?window=15m`);
  await live(page);
  const current = () => views(page).locator('[aria-current]').innerText();
  assert.equal(await current(), 'Overview');
  await views(page).getByRole('link', { name: 'Alerts' }).focus();
  await page.keyboard.press('Enter');
  await heading(page, 'Alerts').waitFor();
  assert.match(page.url(), /#\/alerts\?window=15m$/, 'the window goes along');
  await page.waitForFunction(() => document.activeElement.textContent === 'Alerts');
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'H2');
  assert.match(await page.title(), /^Alerts · /);
  assert.match(await current(), /^Alerts/);
  await page.goBack();
  await page.waitForFunction(() => document.activeElement.textContent === 'Overview');
  assert.doesNotMatch(await page.title(), /·/);
  // An address that is sent to a colleague, or mangled on the way.
  await page.goto(`${gateway.url}/#/alerts`);
  await heading(page, 'Alerts').waitFor();
  await page.goto(`${gateway.url}/#/alerts/nothing`);
  await page.waitForFunction(() => document.activeElement.textContent === 'Overview');
  watch.check();
  await context.close();
});

test('each alert is told with rule, value, threshold and times, and nothing is nothing in words', async () => {
  const { page, context, watch } = await openPage(browser, { allowed: [gateway.url] });
  await page.goto(`${gateway.url}/#/alerts`);
  await live(page);
  await group(page, 'Firing').getByText('No alert is firing.').waitFor();
  await group(page, 'Pending').getByText('No condition is waiting to fire.').waitFor();
  await group(page, 'Resolved').getByText(/None has ended in the last 15\smin\./).waitFor();
  const watched = () => rows(page, 'What is watched');
  assert.deepEqual((await watched()).map((row) => row.map((text) => text.replace(/\s/g, ' '))), [
    ['Slow', 'latency, average, last 1 min, by route', 'above 300 ms', 'Urgent', 'Quiet'],
    ['Queue', 'queue, highest, last 1 min', 'at or above 10 for 1 h', 'Ticket', 'Quiet'],
  ]);

  const sample = (route, value) => ({ name: 'latency', value, labels: { route } });
  await gateway.ingest([sample('/book', 900), sample('/<b>', 20), { name: 'queue', value: 12, kind: 'gauge' }]);
  const firing = group(page, 'Firing').locator('[data-alert="Slow"]');
  await firing.waitFor();
  assert.match(await firing.innerText(), /\/book[\s\S]*900\s?ms, above 300\s?ms\.[\s\S]*since \d\d:\d\d:\d\d[\s\S]*for \d+\ss/);
  await group(page, 'Pending').locator('[data-alert="Queue"]').waitFor();
  await page.waitForFunction(() => /^\(1\) Alerts/.test(document.title));
  assert.match(await views(page).innerText(), /Alerts\s*1/);
  assert.deepEqual((await watched()).map((row) => row[4]), ['Firing', 'Pending']);
  const changes = await rows(page, 'Alert history');
  assert.deepEqual(changes.map((row) => row[0]), ['Slow (/book)', 'Queue']);
  assert.match(changes[0][3], /^\d\d:\d\d:\d\d$/, 'when it fired');
  assert.equal(changes[1][3], '', 'what is pending has not fired');
  await page.locator('.bars rect.bar-bad').waitFor({ state: 'attached' });

  await gateway.ingest(Array.from({ length: 60 }, () => sample('/book', 20)));
  await group(page, 'Resolved').locator('[data-alert="Slow"]').waitFor();
  await group(page, 'Firing').getByText('No alert is firing.').waitFor();
  assert.match((await rows(page, 'Alert history')).find((row) => row[0] === 'Slow (/book)')[4], /^\d\d:\d\d:\d\d$/, 'when it ended');
  // A KPI tells of the alerts of its metric, and of no others.
  await page.goto(`${gateway.url}/#/kpi/latency`);
  assert.deepEqual((await rows(page, 'Alert history')).map((row) => row[0]), ['Slow (/book)']);
  // The other views have the banners that were here.
  await views(page).getByRole('link', { name: 'Overview' }).click();
  await banner(page, 'Slow').waitFor();
  watch.check();
  await context.close();
});

test('what ended is told after a restart, also of a rule that the board has no more', async () => {
  const { folder, remove } = temporaryFolder();
  const start = (board) =>
    startGateway({ dataDir: folder, flags: ['--no-host-metrics', '--board', path.join(import.meta.dirname, 'boards', board)] });
  const sample = (value) => ({ name: 'latency', value, labels: { route: '/=1+1' } });
  const first = await start('alerts.json');
  const ended = async () => (await (await fetch(`${first.url}/api/v1/alerts/ended`)).json()).alerts;
  await first.ingest([sample(900)]);
  const { page, context, watch } = await openPage(browser, { allowed: [first.url] });
  await page.goto(`${first.url}/#/alerts`);
  await group(page, 'Firing').locator('[data-alert="Slow"]').waitFor();
  await first.ingest(Array.from({ length: 60 }, () => sample(20)));
  await until(async () => (await ended()).length === 1, 'the gateway has kept its end');
  watch.check();
  await context.close();
  await first.kill();

  const second = await start('booking.json');
  const again = await openPage(browser, { allowed: [second.url] });
  await again.page.goto(`${second.url}/#/alerts`);
  await live(again.page);
  await group(again.page, 'Resolved').getByText(/None has ended/).waitFor();
  const told = await rows(again.page, 'Alert history');
  assert.deepEqual(told.map((row) => row[0]), ['Slow (/=1+1)']);
  for (const time of told[0].slice(2)) assert.match(time, /^\d\d:\d\d:\d\d$/);
  await again.page.getByText(/^Alerts that fire or wait, and those that ended in the last 5\s?min\.$/).waitFor();
  again.watch.check();
  await again.context.close();
  await second.stop();
  remove();
});

/** Has the page keep what it would show and play; the browser says `answer` when it is asked. */
const overheard = (page, answer) =>
  page.addInitScript((said) => {
    globalThis.heard = { asked: 0, shown: [], tones: 0 };
    globalThis.Notification = class {
      static permission = localStorage.getItem('said') ?? 'default';
      static requestPermission() {
        heard.asked += 1;
        localStorage.setItem('said', said);
        Notification.permission = said;
        return Promise.resolve(said);
      }
      constructor(title, options) { heard.shown.push([title, options.body]); }
      close() {}
    };
    const start = OscillatorNode.prototype.start;
    OscillatorNode.prototype.start = function (...given) {
      heard.tones += 1;
      return start.apply(this, given);
    };
  }, answer);

test('the reader is called by notification and sound once they have pressed for it, and told where the browser forbids it', async () => {
  const sample = (route, value) => ({ name: 'latency', value, labels: { route } });
  const { page, context, watch } = await openPage(browser, { allowed: [gateway.url] });
  await overheard(page, 'granted');
  await page.goto(`${gateway.url}/#/alerts`);
  await live(page);
  const notify = page.getByRole('button', { name: 'Notifications' });
  const sound = page.getByRole('button', { name: 'Sound' });
  const heard = () => page.evaluate(() => globalThis.heard);
  await page.getByText(/This page can call you when an alert begins to fire/).waitFor();
  assert.equal((await heard()).asked, 0, 'nothing is asked unasked');
  await notify.focus();
  await page.keyboard.press('Enter');
  await page.getByText(/your browser says so for as long as this page is open/).waitFor();
  assert.equal(await notify.getAttribute('aria-pressed'), 'true');
  assert.equal((await heard()).tones, 0);
  await sound.click();
  await page.locator('button[aria-pressed="true"]', { hasText: 'Sound' }).waitFor();
  assert.equal((await heard()).tones, 2, 'it is heard at once');

  await gateway.ingest([sample('/call', 900)]);
  await page.waitForFunction(() => heard.shown.length > 0);
  assert.deepEqual((await heard()).shown, [['Alert Slow is firing.', '']]);
  assert.equal((await heard()).tones, 4);
  await sound.click();
  // The next visit knows the choice, and does not ask again.
  await page.reload();
  await live(page);
  await page.locator('button[aria-pressed="true"]', { hasText: 'Notifications' }).waitFor();
  assert.equal(await sound.getAttribute('aria-pressed'), 'false', 'a sound is off until it is pressed');
  await group(page, 'Firing').locator('[data-alert="Slow"]').first().waitFor();
  assert.deepEqual(await heard(), { asked: 0, shown: [], tones: 0 }, 'what fires already is on the page');
  await notify.click();
  await page.locator('button[aria-pressed="false"]', { hasText: 'Notifications' }).waitFor();
  watch.check();
  await context.close();

  const denied = await openPage(browser, { allowed: [gateway.url], viewport: { width: 390, height: 844 } });
  await overheard(denied.page, 'denied');
  await denied.page.goto(`${gateway.url}/#/alerts`);
  await live(denied.page);
  await denied.page.getByRole('button', { name: 'Notifications' }).click();
  await denied.page.getByText('Your browser does not let this page notify you.').waitFor();
  await accessible(denied.page, 'denied');
  denied.watch.check();
  await denied.context.close();
});

for (const look of looks) {
  test(`the view of alerts, ${look.colorScheme}, ${look.viewport.width} px wide, is accessible`, async () => {
    const { page, context, watch } = await openPage(browser, { allowed: [gateway.url], ...look });
    await gateway.ingest([{ name: 'latency', value: 9000, labels: { route: '/look' } }, { name: 'queue', value: 12, kind: 'gauge' }]);
    await page.goto(`${gateway.url}/#/alerts`);
    await live(page);
    await group(page, 'Firing').locator('[data-alert]').first().waitFor();
    await accessible(page, 'alerts');
    watch.check();
    await context.close();
  });
}
