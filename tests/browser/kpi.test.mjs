// One KPI: what stands behind the figure on its card.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { accessible, looks } from './support/axe.mjs';
import { launch, openPage } from './support/chromium.mjs';
import { startGateway } from './support/gateway.mjs';
import { card, heading, live, rows } from './support/overview.mjs';

let browser;
let gateway;
before(async () => {
  browser = await launch();
  const board = path.join(import.meta.dirname, 'boards/agencies.json');
  gateway = await startGateway({ flags: ['--no-host-metrics', '--board', board] });
  const days = (agency, value, office) => ({ name: 'resolution_time', value, labels: { agency, office } });
  await gateway.ingest([
    days('Housing', 9, 'North'),
    days('Housing', 9, 'South'),
    days('Public <b>Works</b>', 3, 'North'),
    { name: 'conflict', value: 1, kind: 'event' },
  ]);
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
});

const plain = (found) => found.map((row) => row.map((text) => text.replace(/\s/g, ' ')));

test('a card opens its KPI, told apart by label, sorted as the reader wants, all of it in the address', async () => {
  const { page, context, watch } = await openPage(browser, { allowed: [gateway.url] });
  await page.goto(gateway.url);
  await live(page);
  await card(page, 'resolution').getByRole('link', { name: 'Resolution time' }).click();
  await heading(page, 'Resolution time').waitFor();
  await page.waitForFunction(() => document.activeElement.id === 'view');
  assert.match(await page.title(), /Resolution time · /);
  const lead = page.locator('.lead');
  assert.match(await lead.innerText(), /7\s*days[\s\S]*Met[\s\S]*Target at most 7\s?days/);
  assert.match(await page.locator('[data-panel="resolution"] canvas').getAttribute('aria-label'), /value: latest 7\s?days/);

  await page.locator('[data-panel="resolution"] .legend', { hasText: /Target 7\s?days/ }).waitFor();

  const spread = plain(await rows(page, 'Spread'));
  assert.deepEqual(spread.map(([name]) => name), ['Lowest', 'p50', 'p95', 'p99', 'Highest', 'Number']);
  assert.deepEqual([spread[0][2], spread[4][2], spread[5][2]], ['3 days', '9 days', '3']);

  // The worst comes first; names are text.
  assert.deepEqual(plain(await rows(page, 'By label')), [
    ['Housing', '9 days', '', '2'],
    ['Public <b>Works</b>', '3 days', '', '1'],
  ]);
  await page.getByRole('columnheader', { name: 'Figure' }).getByRole('link').focus();
  await page.keyboard.press('Enter');
  await page.getByRole('columnheader', { name: 'Figure' }).and(page.locator('[aria-sort="ascending"]')).waitFor();
  assert.equal((await rows(page, 'By label'))[0][0], 'Public <b>Works</b>');
  await page.getByRole('link', { name: 'office', exact: true }).click();
  await page.getByRole('columnheader', { name: 'office' }).waitFor();
  assert.match(page.url(), /#\/kpi\/resolution\?window=5m&by=office&sort=1$/);
  await page.reload();
  await live(page);
  assert.deepEqual(plain(await rows(page, 'By label')).map((row) => row.slice(0, 2)), [['North', '6 days'], ['South', '9 days']]);

  // Its own rule, and the filter of the whole page.
  assert.deepEqual((await rows(page, 'What is watched')).map((row) => row[0]), ['ResolutionSlow']);
  await page.goto(`${gateway.url}/#/kpi/resolution?where=agency:Housing`);
  await lead.getByText('Not met').waitFor();
  watch.check();
  await context.close();
});

test('an address of no KPI says so', async () => {
  const { page, context, watch } = await openPage(browser, { allowed: [gateway.url] });
  await page.goto(`${gateway.url}/#/kpi/gone`);
  await page.getByText('The board has no KPI "gone"').waitFor();
  await page.getByRole('main').getByRole('link', { name: 'Overview' }).click();
  await card(page, 'resolution').waitFor();
  watch.check();
  await context.close();
});

for (const look of looks) {
  test(`a KPI, ${look.colorScheme}, ${look.viewport.width} px wide, is accessible`, async () => {
    const { page, context, watch } = await openPage(browser, { allowed: [gateway.url], ...look });
    await page.goto(`${gateway.url}/#/kpi/resolution`);
    await live(page);
    await rows(page, 'By label');
    await accessible(page, 'KPI');
    watch.check();
    await context.close();
  });
}
