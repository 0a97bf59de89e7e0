// One KPI: what stands behind the figure on its card.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
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
    ['Housing', '9 days', '', '', '2'],
    ['Public <b>Works</b>', '3 days', '', '', '1'],
  ]);
  // Beside each figure its course, all on one scale.
  const courses = page.getByRole('region', { name: 'By label, table' }).getByRole('img');
  assert.match(await courses.first().getAttribute('aria-label'), /Course over the last 5\s?min: between 9\s?days and 9\s?days/);
  await page.getByText(/All courses are drawn from 3\s?days to 9\s?days/).waitFor();
  await page.getByText(/On target at (the one point|\d+ of the \d+ points) of this course/).waitFor();
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

test('the values behind a KPI are drawn over time, read field by field with the keyboard, and stand in a table', async () => {
  const { page, context, watch } = await openPage(browser, { allowed: [gateway.url] });
  await page.goto(`${gateway.url}/#/kpi/resolution`);
  await live(page);
  const map = page.locator('[data-panel="distribution"]');
  await map.getByText(/3 samples in the last 5\s?min: p50 .*, p95 .*, p99 .*\. 66\.7% of them are 8\.\d+ to 9\.\d+\s?days\./).first().waitFor();
  await map.getByText('Numbers of samples are exact.').waitFor();

  // From the newest field backwards until one holds what was sent; what is said is shown as well.
  const cursor = page.getByRole('slider', { name: 'Distribution, point by point' });
  await cursor.focus();
  const says = () => cursor.getAttribute('aria-valuetext');
  assert.match(await says(), /from field to field by the arrow keys/);
  await page.keyboard.press('End');
  for (let step = 0; step < 60 && !/[1-9]\d* of/.test(await says()); step += 1) await page.keyboard.press('ArrowLeft');
  assert.match(await says(), /^\d\d:\d\d:\d\d to \d\d:\d\d:\d\d: 8\.\d+ to 9\.\d+\s?days, 2 of 3 samples \(66\.7%\)$/);
  await page.keyboard.press('ArrowDown');
  assert.match(await says(), /, 0 of 3 samples \(0%\)$/, 'between the two values lies nothing');
  await page.keyboard.press('ArrowDown');
  assert.match(await says(), /2\.\d+ to 3\.\d+\s?days, 1 of 3 samples \(33\.3%\)$/);
  assert.equal(await map.locator('.spread-head').innerText(), await says());
  // The other chart has its line at the same instant.
  await page.locator('[data-panel="resolution"] .strip-cursor line').waitFor({ state: 'attached' });
  // A pointer does the same.
  await page.locator('.spread-cursor').hover({ position: { x: 3, y: 3 } });
  assert.match(await says(), /8\.\d+ to 9\.\d+\s?days, 0 of 0 samples/);

  await map.getByText('Table').click();
  const found = plain(await rows(page, 'Distribution'));
  assert.deepEqual(found.map((row) => row.slice(1, 4)), [['2', '66.7%', '100%'], ['0', '0%', '33.3%'], ['1', '33.3%', '33.3%']]);
  assert.deepEqual(found.map((row) => row[4]).filter(Boolean).join(', ').split(', ').sort(), ['p50', 'p95', 'p99', 'target']);
  const saved = page.waitForEvent('download');
  await map.getByRole('button', { name: /Download all points/ }).click();
  const file = await readFile(await (await saved).path(), 'utf8');
  const lines = file.trimEnd().split('\r\n');
  assert.equal(lines[0], 'from,to,at least (days),at most (days),samples');
  assert.equal(lines.slice(1).reduce((sum, line) => sum + Number(line.split(',')[4]), 0), 3);
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
    await page.locator('[data-panel="distribution"] summary').click();
    await rows(page, 'Distribution');
    await accessible(page, 'KPI');
    watch.check();
    await context.close();
  });
}
