// The page speaks English and Spanish: as the browser asks, as the reader has chosen, as the address says.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { accessible, looks } from './support/axe.mjs';
import { launch, openPage } from './support/chromium.mjs';
import { startGateway } from './support/gateway.mjs';
import { asked, card } from './support/overview.mjs';

const board = path.join(import.meta.dirname, 'boards/agencies.json');
const texts = (language) =>
  JSON.parse(readFileSync(path.join(import.meta.dirname, `../../www/texts/${language}.json`), 'utf8'));

let browser;
let gateway;
before(async () => {
  browser = await launch();
  gateway = await startGateway({ flags: ['--board', board] });
  await gateway.ingest(
    [['Housing', 9.25], ['Culture', 4]].map(([agency, value]) => ({ name: 'resolution_time', value, labels: { agency } })),
  );
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
});

/** Waits until the page says, in Spanish, that it is live. */
const live = (page) => page.locator('[data-connection]', { hasText: 'En directo' }).waitFor();

/** What stands on the page, also for those who only hear it, and is an English text of the catalogue in full. */
async function english(page) {
  const said = await page.evaluate(() => {
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) found.push(walker.currentNode.data.trim());
    for (const element of document.querySelectorAll('[aria-label], [title]')) {
      found.push(element.getAttribute('aria-label') ?? '', element.getAttribute('title') ?? '');
    }
    return found.filter((text) => text !== '');
  });
  const [ours, others] = [texts('en'), texts('es')];
  // Words that are the same in both languages say nothing; the switch names the other language.
  const only = Object.entries(ours)
    .filter(([name, text]) => !name.startsWith('LanguageOther') && text.trim() !== others[name].trim())
    .flatMap(([, text]) => text.split('|'))
    .map((text) => text.trim())
    .filter((text) => /[A-Za-z]{3}/.test(text));
  const spanish = new Set(Object.values(others).flatMap((text) => text.split('|')).map((text) => text.trim()));
  const patterns = only
    .filter((text) => !spanish.has(text))
    .map((text) => new RegExp(`^${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/\\\{\d\\\}/g, '.+')}$`, 's'));
  // A pattern of little else than places would take anything for English.
  const telling = patterns.filter((pattern) => /[A-Za-z]{3}/.test(pattern.source.replaceAll('.+', '')));
  return said.filter((text) => telling.some((pattern) => pattern.test(text)));
}

for (const view of ['', 'alerts', 'explore', 'explore?metric=resolution_time', 'sources', 'help', 'kpi/resolution', 'panel/by-agency']) {
  test(`a Spanish browser reads "#/${view}" in Spanish`, async () => {
    const { page, context, watch } = await openPage(browser, { allowed: [gateway.url], locale: 'es-ES' });
    await page.goto(`${gateway.url}/#/${view}`);
    await live(page);
    assert.equal(await page.evaluate(() => document.documentElement.lang), 'es');
    await page.locator(view === 'help' ? '.help' : '.card, .figures, .metrics, .panel').first().waitFor();
    assert.deepEqual(await english(page), []);
    watch.check();
    await context.close();
  });
}

test('figures and plurals follow the language', async () => {
  const { page, context, watch } = await openPage(browser, { allowed: [gateway.url], locale: 'es-ES' });
  await page.goto(gateway.url);
  await live(page);
  await card(page, 'resolution').locator('.figure-value', { hasText: /\d,\d/ }).waitFor();
  await page.getByText(/\d+ series en esta página/).waitFor();
  await page.getByText('El objetivo', { exact: false }).first().waitFor();
  watch.check();
  await context.close();
});

test('the switch changes everything at once, and the choice is kept', async () => {
  const { page, context, watch } = await openPage(browser, { allowed: [gateway.url] });
  await page.goto(`${gateway.url}/#/alerts`);
  await page.getByRole('heading', { name: 'Alerts', exact: true }).waitFor();
  const paths = asked(page);
  await page.getByRole('button', { name: 'Español' }).click();
  await page.getByRole('heading', { name: 'Alertas', exact: true }).waitFor();
  await live(page);
  assert.deepEqual(paths, ['/texts/es.json'], 'only the texts are fetched: nothing is loaded anew');
  assert.match(await page.title(), /^Alertas · /);
  assert.deepEqual(await english(page), []);
  await page.reload();
  await page.getByRole('heading', { name: 'Alertas', exact: true }).waitFor();
  await page.getByRole('button', { name: 'English' }).click();
  await page.getByRole('heading', { name: 'Alerts', exact: true }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), 'en');
  watch.check();
  await context.close();
});

test('an address may ask for a language', async () => {
  const { page, context, watch } = await openPage(browser, { allowed: [gateway.url] });
  await page.goto(`${gateway.url}/#/?lang=es`);
  await live(page);
  await page.getByRole('link', { name: 'Fuentes' }).click();
  await page.getByRole('heading', { name: 'Fuentes', exact: true }).waitFor();
  assert.match(page.url(), /lang=es/);
  watch.check();
  await context.close();
});

test('whoever reads another language keeps their own figures', async () => {
  const { page, context, watch } = await openPage(browser, { allowed: [gateway.url], locale: 'de-DE' });
  await page.goto(gateway.url);
  await page.locator('[data-connection]', { hasText: 'Live' }).waitFor();
  await card(page, 'resolution').locator('.figure-value', { hasText: /\d,\d/ }).waitFor();
  watch.check();
  await context.close();
});

test('a page whose texts do not come says so', async () => {
  const { page, context, watch } = await openPage(browser, { allowed: [gateway.url], locale: 'es-MX' });
  watch.expect(/404|sus textos no han llegado/);
  await page.route(/texts\/es\.json/, (route) => route.fulfill({ status: 404, body: 'not here' }));
  await page.goto(gateway.url);
  await page.getByRole('alert').getByText('La página no ha podido arrancar: sus textos no han llegado.').waitFor();
  watch.check();
  await context.close();
});

for (const look of looks) {
  test(`the overview in Spanish, ${look.colorScheme}, ${look.viewport.width} px wide, is accessible`, async () => {
    const { page, context, watch } = await openPage(browser, { allowed: [gateway.url], locale: 'es-ES', ...look });
    await page.goto(gateway.url);
    await live(page);
    await card(page, 'resolution').locator('.figure-value', { hasText: /\d/ }).waitFor();
    await accessible(page, 'overview');
    await page.goto(`${gateway.url}/#/kpi/resolution`);
    await page.locator('.figures tbody tr').first().waitFor();
    await accessible(page, 'KPI');
    watch.check();
    await context.close();
  });
}
