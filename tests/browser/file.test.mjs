// A spreadsheet on the page, with no gateway anywhere.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { accessible, looks } from './support/axe.mjs';
import { launch, openPage } from './support/chromium.mjs';
import { dist, startGateway } from './support/gateway.mjs';
import { card, live, rows, views } from './support/overview.mjs';
import { serveFolder } from './support/static-server.mjs';

let browser;
let site;
before(async () => {
  browser = await launch();
  site = await serveFolder(dist, '/some/path/');
});
after(async () => {
  await browser?.close();
  await site?.close();
});

const dialog = (page) => page.getByRole('dialog');
const plain = (text) => text.replace(/\s/g, ' ');

/** The page of a static site whose gateway is not there: what an office without one sees first. */
async function alone(options = {}) {
  const opened = await openPage(browser, { allowed: [site.origin], timezoneId: 'Europe/Madrid', ...options });
  opened.watch.expect(/WebSocket connection to .* failed|404/);
  await opened.page.goto(site.url);
  await opened.page.getByRole('heading', { name: /There is no gateway|No hay ninguna pasarela/ }).waitFor();
  return opened;
}

/** Drops a file of this name and text on the page, as a reader would. */
async function drop(page, name, text) {
  await page.evaluate(([called, content]) => {
    const carried = new DataTransfer();
    carried.items.add(new File([content], called, { type: 'text/csv' }));
    document.querySelector('main').dispatchEvent(new DragEvent('drop', { dataTransfer: carried, bubbles: true, cancelable: true }));
  }, [name, text]);
  await dialog(page).waitFor();
}

const show = (page) => dialog(page).getByRole('button', { name: 'Show the figures' }).click();

test('the example is opened by a button, asked about, and shown as KPIs and charts', async () => {
  const { page, context, watch } = await alone();
  await page.getByRole('button', { name: 'Show an example' }).click();
  await dialog(page).getByText(/^180 rows are understood, from 2 Jan 2025.* \d+ cases are still open\.$/).waitFor();
  assert.ok(await dialog(page).getByRole('radio', { name: 'A case that was opened and closed' }).isChecked());
  await dialog(page).getByLabel(/target at most/).fill('7');
  await show(page);
  await card(page, 'days').locator('.figure-value', { hasText: /\d/ }).waitFor();
  assert.match(plain(await card(page, 'days').innerText()), /Days to close, average.*Target at most 7 days/);
  assert.equal(await page.getByRole('heading', { level: 1 }).innerText(), 'example.csv');
  await page.locator('[data-connection]', { hasText: 'From a file' }).waitFor();
  assert.match(page.url(), /#\/\?window=90d$/);
  assert.match(plain(await page.locator('[data-status]').innerText()), /31 Mar 2025/, 'of when it is');
  await page.getByText(/nothing of it leaves your browser/).waitFor();
  const chart = page.locator('[data-panel="days"] .legend');
  for (const agency of ['Housing', 'Parks', 'Public Works', 'Licensing']) await chart.getByText(agency, { exact: true }).waitFor();
  await page.getByLabel('Label and value to filter by').selectOption('agency:Housing');
  await page.getByRole('button', { name: 'Filter the whole page' }).click();
  await page.locator('[data-panel="days"] .legend', { hasText: 'Parks' }).waitFor({ state: 'detached' });
  watch.check();
  await context.close();
});

test('dropped values are shown by name and label; bad rows are named by line; text is text', async () => {
  const { page, context, watch } = await alone();
  const lines = [
    'name,value,timestamp,team',
    'latency,100,2025-03-01T10:00:00Z,<img src=x onerror=alert(1)>',
    'latency,300,2025-03-01T10:00:10Z,<img src=x onerror=alert(1)>',
    'latency,"two',
    'hundred",2025-03-01T10:00:20Z,b',
    'latency,200,yesterday,b',
    '',
    'queue,7,2025-03-01T10:00:30Z,b',
    'queue,,2025-03-01T10:00:30Z,b',
  ];
  await drop(page, '<b>march</b>.csv', lines.join('\r\n'));
  await dialog(page).getByRole('heading', { name: 'Open <b>march</b>.csv' }).waitFor();
  await dialog(page).getByText('3 values cannot be read').click();
  const faults = (await dialog(page).locator('.file-faults li').allInnerTexts()).map(plain);
  assert.deepEqual(faults, [
    'Line 4: "two hundred" is no number.',
    'Line 6: "yesterday" is no time that can be read.',
    'Line 9: The value is empty.',
  ]);
  await dialog(page).getByText(/^3 rows are understood, from 1 Mar 2025, 11:00 to 1 Mar 2025, 11:00\.$/).waitFor();
  await show(page);
  await card(page, 'metric-1').locator('.figure-value', { hasText: '200' }).waitFor();
  await card(page, 'metric-2').locator('.figure-value', { hasText: '7' }).waitFor();
  await page.locator('[data-panel="metric-1"] .legend-name', { hasText: '<img src=x onerror=alert(1)>' }).waitFor();
  assert.equal(await page.locator('main img, dialog img, h1 b').count(), 0);
  // Every view is of the file.
  await views(page).getByRole('link', { name: 'Explore' }).click();
  await page.getByRole('link', { name: 'queue', exact: true }).waitFor();
  await views(page).getByRole('link', { name: 'Sources' }).click();
  assert.deepEqual((await rows(page, 'Metrics')).map(([name]) => name).sort(), ['latency', 'queue']);
  assert.equal(await page.getByRole('link', { name: /\/gateway\// }).count(), 0);
  watch.check();
  await context.close();
});

test('another file takes the place of the first, and of a gateway', async () => {
  const gateway = await startGateway({ flags: ['--no-host-metrics'] });
  const { page, context, watch } = await openPage(browser, { allowed: [gateway.url] });
  await page.goto(gateway.url);
  await live(page);
  await drop(page, 'one.csv', 'when,depth\n2025-03-01 10:00,4\n2025-03-01 10:01,6\n');
  await show(page);
  await card(page, 'metric-1').locator('.figure-value', { hasText: '5' }).waitFor();
  await drop(page, 'two.csv', 'when;depth\n2025-04-01 10:00;8,5\n2025-04-01 10:01;9,5\n');
  await show(page);
  await page.getByRole('heading', { level: 1, name: 'two.csv' }).waitFor();
  await card(page, 'metric-1').locator('.figure-value', { hasText: '9' }).waitFor();
  await page.reload();
  await live(page);
  assert.equal(await page.getByRole('heading', { level: 1, name: 'two.csv' }).count(), 0);
  watch.check();
  await context.close();
  await gateway.stop();
});

test('what is no table, or is left by Cancel, leaves the page as it was', async () => {
  const { page, context, watch } = await alone();
  await drop(page, 'empty.csv', '');
  await dialog(page).getByRole('alert').getByText('The file has no rows').waitFor();
  await dialog(page).getByRole('button', { name: 'Cancel' }).click();
  await dialog(page).waitFor({ state: 'detached' });
  await drop(page, 'words.csv', 'a,b\nx,y\nz,w\n');
  await dialog(page).getByText('Choose the column of times and one of values.').waitFor();
  assert.ok(await dialog(page).getByRole('button', { name: 'Show the figures' }).isDisabled());
  await page.keyboard.press('Escape');
  await dialog(page).waitFor({ state: 'detached' });
  await page.getByRole('heading', { name: 'There is no gateway' }).waitFor();
  watch.check();
  await context.close();
});

test('a quotation mark that nothing closes is named with its line, and what stands before it is read', async () => {
  const { page, context, watch } = await alone();
  const rest = Array.from({ length: 30_000 }, (_, place) => `2025-03-01 10:01,${place},Parks\n`).join('');
  await drop(page, 'open.csv', `when,depth,agency\n2025-03-01 10:00,4,Parks\n2025-03-01 10:00,6,Parks\n2025-03-01 10:01,5,"Housing\n${rest}`);
  await dialog(page).getByText(/^2 rows are understood, .* Line 4: A quotation mark is opened here and never closed/).waitFor();
  await show(page);
  await card(page, 'metric-1').locator('.figure-value', { hasText: '5' }).waitFor();
  watch.check();
  await context.close();
});

test('more columns than a series can have labels are refused in words', async () => {
  const { page, context, watch } = await alone();
  const heads = Array.from({ length: 31 }, (_, place) => `part${place}`);
  const row = (value) => ['2025-03-01 10:00', value, ...heads.map((_, place) => `x${place}`)].join(',');
  await drop(page, 'wide.csv', `when,value,${heads.join(',')}\n${row(1)}\n${row(2)}\n`);
  await dialog(page).getByText(/^2 rows are understood/).waitFor();
  const labels = dialog(page).getByRole('group', { name: 'Told apart by' });
  for (const head of heads) await labels.getByLabel(head, { exact: true }).check();
  await dialog(page).getByText('Rows are told apart by 31 columns, and at most 30 can be. Choose fewer.').waitFor();
  assert.ok(await dialog(page).getByRole('button', { name: 'Show the figures' }).isDisabled());
  await labels.getByLabel('part7', { exact: true }).uncheck();
  await show(page);
  await card(page, 'metric-1').locator('.figure-value', { hasText: '1.5' }).waitFor();
  watch.check();
  await context.close();
});

test('a file is looked at as of then too', async () => {
  const { page, context, watch } = await alone();
  await drop(page, 'waits.csv', 'time,wait\n2025-03-31T10:00:00Z,4\n2025-03-31T10:30:00Z,6\n2025-03-31T12:00:00Z,50\n');
  await show(page);
  const figure = page.locator('.figure-value').first();
  await figure.filter({ hasText: /^20/ }).waitFor();
  await page.getByRole('button', { name: 'Time range' }).click();
  const bar = page.getByRole('region', { name: 'Time range' });
  // The reader is in Madrid, two hours ahead then.
  await bar.getByLabel('From').fill('2025-03-31T11:00:00');
  await bar.getByLabel('To').fill('2025-03-31T13:00:00');
  await bar.getByRole('button', { name: 'Show' }).click();
  await figure.filter({ hasText: /^5/ }).waitFor();
  await bar.getByRole('status').filter({ hasText: /^As of 31 Mar 2025, 13:00, not live: the 2\sh up to then\.$/ }).waitFor();
  await bar.getByRole('button', { name: 'Back to live' }).click();
  await figure.filter({ hasText: /^20/ }).waitFor();
  watch.check();
  await context.close();
});

test('100,000 rows are read in pieces, by a button, and can be looked at', async () => {
  const { page, context, watch } = await alone();
  const line = (place) => `response,${place % 400},${new Date(Date.UTC(2025, 2, 1) + place * 30_000).toISOString()},team ${place % 20}`;
  const text = ['name,value,timestamp,team', ...Array.from({ length: 100_000 }, (_, place) => line(place))].join('\n');
  const picked = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Open a CSV file…' }).click();
  await (await picked).setFiles({ name: 'year.csv', mimeType: 'text/csv', buffer: Buffer.from(text) });
  await dialog(page).getByText(/^100,000 rows are understood, /).waitFor();
  await show(page);
  await page.locator('[data-connection]', { hasText: 'From a file' }).waitFor({ timeout: 60_000 });
  await card(page, 'metric-1').locator('.figure-value', { hasText: '200' }).waitFor();
  assert.match(plain(await page.locator('[data-panel="metric-1"] .legend').innerText()), /the 6 highest of 20/);
  watch.check();
  await context.close();
});

test('the dialog speaks Spanish, and reads as Spaniards write', async () => {
  const { page, context, watch } = await alone({ locale: 'es-ES' });
  await drop(page, 'gastos.csv', 'fecha;gasto\n3/4/2025;1.234,5\n4/4/2025;1.000\n');
  await dialog(page).getByText(/^Se entienden 2 filas, de 3 abr 2025.* a 4 abr 2025/).waitFor();
  await dialog(page).getByRole('button', { name: 'Mostrar las cifras' }).click();
  await card(page, 'metric-1').locator('.figure-value', { hasText: /^1117|^1\.117/ }).waitFor();
  watch.check();
  await context.close();
});

for (const look of looks) {
  test(`opening a file, ${look.colorScheme}, ${look.viewport.width} px wide, is accessible by keyboard and machine`, async () => {
    const { page, context, watch } = await alone(look);
    await accessible(page, 'no gateway');
    await page.getByRole('button', { name: 'Show an example' }).focus();
    await page.keyboard.press('Enter');
    const button = dialog(page).getByRole('button', { name: 'Show the figures' });
    await button.and(page.locator(':enabled')).waitFor();
    await accessible(page, 'dialog');
    await button.focus();
    await page.keyboard.press('Enter');
    await card(page, 'days').locator('.figure-value', { hasText: /\d/ }).waitFor();
    await accessible(page, 'file');
    watch.check();
    await context.close();
  });
}
