// The whole page is filtered by label: in the browser, in the address, and never the gateway's alerts.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import { launch, openPage } from './support/chromium.mjs';
import { startGateway } from './support/gateway.mjs';
import { asked, card, figureIs, live } from './support/overview.mjs';

let browser;
let gateway;
before(async () => {
  browser = await launch();
  const board = path.join(import.meta.dirname, 'boards/agencies.json');
  gateway = await startGateway({ flags: ['--no-host-metrics', '--board', board] });
  // Housing takes 9 days, Public Works 3: together they meet the target, and Housing alone does not.
  const days = (agency, value) => ({ name: 'resolution_time', value, labels: { agency } });
  await gateway.ingest([
    days('Housing', 9),
    days('Public Works', 3),
    { name: 'conflict', value: 1, kind: 'event' },
  ]);
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
});

const list = (page) => page.getByRole('combobox', { name: 'Label and value to filter by' });
const button = (page) => page.getByRole('button', { name: 'Filter the whole page' });
const chosen = (page, words) => page.getByRole('button', { name: `${words} remove this filter` });

test('figures, charts and the sentence follow the filter, and alerts do not', async () => {
  const { page, context, watch } = await openPage(browser, { allowed: [gateway.url] });
  await page.goto(gateway.url);
  await live(page);
  await figureIs(page, 'resolution', (text) => /^6\s?days$/.test(text), '6 days');
  const status = page.locator('[data-status]');
  await status.filter({ hasText: 'All 2 targets are met. No alert is firing.' }).waitFor();
  assert.equal(await page.locator('[data-preview]').count(), 0);

  // What follows is computed here: nothing more is asked of the gateway.
  const paths = asked(page);
  await list(page).selectOption({ label: 'Housing' });
  await button(page).click();
  await figureIs(page, 'resolution', (text) => /^9\s?days$/.test(text), '9 days');
  await card(page, 'resolution').getByText('Not met', { exact: true }).waitFor();
  await status.filter({
    hasText: /^Only agency: Housing\. The target is not met: Resolution time\. 1 target cannot be judged here: no series passes the filter\. Alerts are of everything: no alert is firing\.$/,
  }).waitFor();
  await card(page, 'conflicts').getByText('No series passes the filter').waitFor();
  const names = await page.locator('[data-panel="by-agency"] .legend-name').allInnerTexts();
  assert.deepEqual(names, ['Housing']);
  await page.locator('[data-preview]', { hasText: /^Preview for agency: Housing: .*ResolutionSlow, 9\s?days, above 7\s?days\./ }).waitFor();
  assert.deepEqual(paths.filter((path) => !path.endsWith('.svg')), []);

  // What is drawn can be taken into a spreadsheet.
  const panel = page.locator('[data-panel="by-agency"]');
  await panel.locator('summary').click();
  const [download] = await Promise.all([page.waitForEvent('download'), panel.getByRole('button', { name: /CSV/ }).click()]);
  assert.equal(download.suggestedFilename(), 'by-agency.csv');
  const rows = (await readFile(await download.path(), 'utf8')).split('\r\n');
  assert.equal(rows[0], 'time,Housing (days)');
  assert.match(rows[1], /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z,9$/);

  // What is seen can be sent to a colleague, and goes back with the browser.
  const address = page.url();
  assert.match(address, /#\/\?window=5m&where=agency:Housing$/);
  await page.reload();
  await live(page);
  await figureIs(page, 'resolution', (text) => /^9\s?days$/.test(text), '9 days');
  await page.getByRole('link', { name: 'Analyse Resolution time, by agency' }).click();
  await chosen(page, 'agency: Housing').waitFor();
  await page.getByRole('status').filter({ hasText: /^Only agency: Housing$/ }).waitFor({ state: 'attached' });
  await page.goto(`${gateway.url}/#/?where=agency:Public%20Works`);
  await figureIs(page, 'resolution', (text) => /^3\s?days$/.test(text), '3 days');
  await chosen(page, 'agency: Public Works').click();
  await figureIs(page, 'resolution', (text) => /^6\s?days$/.test(text), '6 days');
  await status.filter({ hasText: /^All 2 targets are met/ }).waitFor();
  watch.check();
  await context.close();
});

test('the filter is used by keyboard alone', async () => {
  const { page, context, watch } = await openPage(browser, { allowed: [gateway.url] });
  await page.goto(gateway.url);
  await live(page);
  await list(page).focus();
  assert.equal(await list(page).inputValue(), '', 'nothing is chosen before somebody chooses');
  // To go through the list changes nothing.
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowUp');
  assert.equal(await list(page).inputValue(), 'agency:Housing');
  assert.equal(await chosen(page, 'agency: Housing').count(), 0);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await chosen(page, 'agency: Housing').waitFor();
  await list(page).focus();
  await page.keyboard.press('Shift+Tab');
  assert.match(await page.evaluate(() => document.activeElement.textContent), /^agency: Housing/);
  await page.keyboard.press('Enter');
  await chosen(page, 'agency: Housing').waitFor({ state: 'detached' });
  // The button that was pressed is gone: the keyboard goes on at the list.
  await page.waitForFunction(() => document.activeElement.id === 'filter');
  watch.check();
  await context.close();
});

for (const [theme, width] of [['light', 1440], ['dark', 390]]) {
  test(`a filtered page, ${theme}, ${width} px wide, is accessible`, async () => {
    const { page, context, watch } = await openPage(browser, {
      allowed: [gateway.url],
      viewport: { width, height: 900 },
      colorScheme: theme,
    });
    await page.goto(`${gateway.url}/#/?where=agency:Housing`);
    await live(page);
    await page.locator('[data-preview]').waitFor();
    const { violations } = await new AxeBuilder({ page })
      .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
      .analyze();
    assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`), []);
    const hidden = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.equal(hidden, 0, 'nothing is cut off at the side');
    watch.check();
    await context.close();
  });
}
