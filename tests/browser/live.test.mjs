// The page shows this machine, live, from an engine of its own.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, openPage } from './support/chromium.mjs';
import { startGateway } from './support/gateway.mjs';
import { banner, card, figure, figureIs, live, table } from './support/overview.mjs';

let browser;
let gateway;
before(async () => {
  [browser, gateway] = await Promise.all([launch(), startGateway()]);
});
after(async () => {
  await browser?.close();
  const end = await gateway?.stop();
  assert.equal(end?.code, 0, 'SIGTERM ends the gateway in good order');
});

test('the processor of this machine is on screen within 3 s, and moves', async () => {
  const { page, context, watch } = await openPage(browser, { allowed: [gateway.url] });
  await page.goto(gateway.url);
  await card(page, 'host-cpu').locator('.figure-value', { hasText: /\d\s?%/ }).waitFor({ timeout: 3_000 });
  await live(page);
  const before = await page.locator('.page-footer').innerText();
  await page.waitForFunction((text) => document.querySelector('.page-footer').innerText !== text, before);
  watch.check();
  await context.close();
});

test('each state of a KPI is a word, and the sentence on top counts them', async () => {
  const { page, context, watch } = await openPage(browser, { allowed: [gateway.url] });
  await page.goto(gateway.url);
  await live(page);
  await card(page, 'host-memory').getByText(/^(Met|Not met)$/).waitFor();
  await card(page, 'satisfaction').getByText('No data', { exact: true }).waitFor();
  const met = await page.locator('.badge', { hasText: /^Met$/ }).count();
  const notMet = await page.locator('.badge', { hasText: /^Not met$/ }).count();
  const sentence = await page.locator('[data-status]').innerText();
  assert.match(sentence, notMet > 0 ? new RegExp(`\\b${met} of ${met + notMet} targets`) : /targets/, sentence);
  watch.check();
  await context.close();
});

test('a reload shows the history at once', async () => {
  const own = await startGateway({ flags: ['--no-host-metrics'] });
  const { page, context, watch } = await openPage(browser, { allowed: [own.url] });
  // A past that no page has seen: what was said minutes before this one was opened.
  const now = Date.now();
  const past = [240, 180, 120].map((seconds) => ({ name: 'booking_response_time', value: seconds, timestamp: now - seconds * 1000 }));
  await own.ingest(past);
  for (const visit of ['first', 'second']) {
    if (visit === 'first') await page.goto(own.url);
    else await page.reload();
    await live(page);
    assert.equal(await page.locator('[data-panel="booking-average"] .strip-empty').count(), 0, `${visit} visit`);
    await figureIs(page, 'booking-response-time', (text) => /^180\s?ms$/.test(text), '180 ms');
    const figures = (await table(page, 'booking-average')).map((row) => row[1]).filter((text) => /\d/.test(text ?? ''));
    assert.ok(figures.length >= 3, `${visit} visit: ${figures}`);
    const drawn = await page.locator('[data-panel="booking-average"] canvas').getAttribute('aria-label');
    assert.match(drawn, /between 120\s?ms and 240\s?ms/, `${visit} visit`);
  }
  watch.check();
  await context.close();
  await own.stop();
});

test('with /query blocked every figure stays live and right', async () => {
  const { page, context, watch } = await openPage(browser, { allowed: [gateway.url] });
  const asked = [];
  await page.route(/\/query|\/api\//, (route) => {
    asked.push(route.request().url());
    return route.abort();
  });
  await page.goto(gateway.url);
  await live(page);
  const at = Date.now();
  await gateway.ingest([100, 100, 100, 100].map((value) => ({ name: 'booking_response_time', value, timestamp: at })));
  await figureIs(page, 'booking-response-time', (text) => /^100\s?ms$/.test(text), '100 ms');
  await gateway.ingest([300, 300, 300, 300].map((value) => ({ name: 'booking_response_time', value, timestamp: at + 1 })));
  await figureIs(page, 'booking-response-time', (text) => /^200\s?ms$/.test(text), '200 ms');
  const answer = await (await fetch(`${gateway.url}/query?name=booking_response_time&window=5m&agg=avg`)).json();
  assert.equal(answer.result, 200);
  // The p95 of 4 × 100 and 4 × 300 is 300; the sketch is within 0.55 % of it.
  const p95 = Number.parseFloat(await figure(page, 'booking-response-time-p95'));
  assert.ok(Math.abs(p95 - 300) <= 2, `${p95}`);
  const drawn = await page.locator('[data-panel="booking-average"] canvas').getAttribute('aria-label');
  assert.match(drawn, /200\s?ms/, 'the chart is made of the same feed');
  await gateway.ingest(Array.from({ length: 8 }, () => ({ name: 'booking_response_time', value: 600, timestamp: at + 2 })));
  await figureIs(page, 'booking-response-time', (text) => /^400\s?ms$/.test(text), '400 ms');
  await banner(page, 'BookingSlow').and(page.locator('[role="alert"]')).waitFor();
  assert.deepEqual(asked, [], 'the page needs no answer but the feed');
  watch.check();
  await context.close();
});

test('window, pause and theme are controls that do what they say', async () => {
  const { page, context, watch } = await openPage(browser, { allowed: [gateway.url] });
  await page.goto(gateway.url);
  await live(page);
  await page.getByRole('radio', { name: /15/ }).check({ force: true });
  await page.waitForFunction(() => location.hash.includes('15m'));
  await page.reload();
  await live(page);
  assert.ok(await page.getByRole('radio', { name: /15/ }).isChecked(), 'the window is in the address');
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByText('Paused at').first().waitFor();
  await page.getByRole('button', { name: 'Resume' }).click();
  await page.getByText('Paused at').first().waitFor({ state: 'detached' });
  watch.check();
  await context.close();
});

test('a panel opens as a Plotly chart that the page loads from its own site', async () => {
  const { page, context, watch } = await openPage(browser, { allowed: [gateway.url] });
  const scripts = [];
  page.on('request', (request) => request.resourceType() === 'script' && scripts.push(request.url()));
  await page.goto(gateway.url);
  await live(page);
  assert.equal(scripts.filter((url) => url.includes('plotly')).length, 0, 'Plotly waits until it is needed');
  await page.locator('[data-panel="host-cpu"]').getByRole('link', { name: /Analyse/ }).click();
  await page.locator('.focus-chart .main-svg').first().waitFor();
  await page.locator('.focus-chart .scatterlayer path').first().waitFor({ state: 'attached' });
  assert.equal(scripts.filter((url) => url.includes('plotly-basic')).length, 1);
  const box = await page.locator('.focus-chart .nsewdrag').first().boundingBox();
  await page.mouse.move(box.x + box.width - 20, box.y + box.height / 2);
  await page.locator('.focus-chart .hoverlayer text').first().waitFor({ state: 'attached' });
  await page.getByRole('link', { name: 'Overview' }).click();
  await card(page, 'host-cpu').waitFor();
  watch.check();
  await context.close();
});
