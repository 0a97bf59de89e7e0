// The booking story: a service's own POSTs become a figure, an alert and a call to whoever is on duty.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, openPage } from './support/chromium.mjs';
import { startGateway, until } from './support/gateway.mjs';
import { banner, card, figureIs, live } from './support/overview.mjs';
import { receiveWebhooks } from './support/webhook.mjs';

let browser;
let gateway;
let webhook;
before(async () => {
  [browser, webhook] = await Promise.all([launch(), receiveWebhooks()]);
  gateway = await startGateway({ flags: ['--no-host-metrics', '--alert-webhook', webhook.url] });
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
  await webhook?.close();
});

// The calls of examples/booking-service, bare.
function recordMetric(name, value) {
  return fetch(`${gateway.url}/ingest`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ name, value, timestamp: Date.now() }),
  });
}
async function queryMetric(name, { window, agg }) {
  const res = await fetch(`${gateway.url}/query?name=${name}&window=${window}&agg=${agg}`);
  const data = await res.json();
  return data.result;
}

test('slow bookings raise a banner in the open page, call by webhook, and resolve', async () => {
  const { page, context, watch } = await openPage(browser, { allowed: [gateway.url] });
  await page.goto(gateway.url);
  await live(page);
  assert.equal(await queryMetric('booking_response_time', { window: '5m', agg: 'avg' }), null);

  await recordMetric('booking_response_time', 120);
  await recordMetric('booking_response_time', 140);
  assert.equal(await queryMetric('booking_response_time', { window: '5m', agg: 'avg' }), 130);
  await figureIs(page, 'booking-response-time', (text) => /^130\s?ms$/.test(text), '130 ms');
  await card(page, 'booking-response-time').getByText('Met', { exact: true }).waitFor();
  // The chart of the same title says that its points are over less than the card's five minutes.
  await page.locator('[data-panel="booking-average"] .legend', { hasText: /each point over 1\s?min/ }).waitFor();
  assert.equal(await banner(page, 'BookingSlow').count(), 0);
  const icon = () => page.locator('link[rel="icon"]').getAttribute('href');
  assert.match(await icon(), /bellwether\.svg$/);

  for (const value of [900, 950, 1000, 890]) await recordMetric('booking_response_time', value);
  const firing = banner(page, 'BookingSlow').and(page.locator('[data-phase="Urgent, firing"]'));
  await firing.waitFor();
  const seen = Date.now();
  // Whoever has the page behind other tabs sees it by the title and the icon.
  await until(async () => /firing\.svg$/.test(await icon()), 'the icon says that an alert is firing');
  assert.match(await page.title(), /^\(1\) /);
  assert.ok((await page.request.get(new URL(await icon(), page.url()).href)).ok(), 'the icon is there');
  assert.equal(await firing.getAttribute('role'), 'alert');
  const text = await firing.innerText();
  assert.match(text, /BookingSlow/);
  assert.match(text, /667\s?ms/, 'the value');
  assert.match(text, /300\s?ms/, 'the threshold');
  assert.match(text, /since \d/, 'since when');
  await card(page, 'booking-response-time').getByText('Not met', { exact: true }).waitFor();
  // The card, the banner and whoever asks are told the same, and the first thing to be read is one sentence.
  await figureIs(page, 'booking-response-time', (text) => /^667\s?ms$/.test(text), '667 ms');
  assert.equal(Math.round(await queryMetric('booking_response_time', { window: '5m', agg: 'avg' })), 667);
  const first = page.locator('#main p').first();
  assert.match(await first.innerText(), /(not met|[Nn]one of \d targets|Not met: ).*\. Alert BookingSlow is firing\.$/);

  await until(() => webhook.received.length === 1, 'the webhook is told that the alert fires');
  const [told] = webhook.received;
  assert.equal(told.version, '4');
  assert.equal(told.status, 'firing');
  assert.equal(told.alerts[0].labels.alertname, 'BookingSlow');
  const evaluated = Date.parse(told.alerts[0].startsAt);
  assert.ok(seen - evaluated <= 2_000, `${seen - evaluated} ms from the evaluation to the banner`);

  const fast = Array.from({ length: 60 }, () => ({ name: 'booking_response_time', value: 20, timestamp: Date.now() }));
  await gateway.ingest(fast);
  const resolved = banner(page, 'BookingSlow').and(page.locator('[data-phase="Resolved"]'));
  await resolved.waitFor();
  await until(async () => /bellwether\.svg$/.test(await icon()), 'the icon is calm again');
  assert.match(await resolved.innerText(), /resolved at \d/i);
  await until(() => webhook.received.length === 2, 'the webhook is told that the alert is over');
  assert.equal(webhook.received[1].status, 'resolved');
  await until(async () => {
    const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
    return /^gateway_notifications_waiting 0$/m.test(metrics);
  }, 'nothing waits to be told');
  assert.equal(webhook.received.length, 2, 'each is told once');
  assert.equal(webhook.received[1].alerts[0].startsAt, told.alerts[0].startsAt);
  watch.check();
  await context.close();
});

test('a name that looks like markup is shown as text', async () => {
  const { page, context, watch } = await openPage(browser, { allowed: [gateway.url] });
  await page.goto(`${gateway.url}/#/panel/${encodeURIComponent('<img src=x onerror=alert(1)>')}`);
  await page.getByText('<img src=x onerror=alert(1)>').waitFor();
  assert.equal(await page.locator('main img').count(), 0);
  watch.check();
  await context.close();
});
