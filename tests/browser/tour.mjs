// Takes the pictures of the docs: `node tests/browser/tour.mjs`, after `cargo xtask dist` and a build of the gateway.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { launch, openPage } from './support/chromium.mjs';
import { startGateway } from './support/gateway.mjs';

const folder = path.resolve(import.meta.dirname, '../../docs/images');
const desktop = { width: 1440, height: 900 };
const phone = { width: 390, height: 844 };
const stops = [
  { name: 'overview', viewport: desktop, colorScheme: 'light', hash: '#/?window=15m' },
  { name: 'overview-dark', viewport: desktop, colorScheme: 'dark', hash: '#/?window=15m' },
  { name: 'chart', viewport: desktop, colorScheme: 'light', hash: '#/panel/booking-p95?window=15m' },
  { name: 'alerts', viewport: desktop, colorScheme: 'light', hash: '#/alerts?window=15m' },
  { name: 'kpi', viewport: desktop, colorScheme: 'light', hash: '#/kpi/booking-response-time?window=15m' },
  { name: 'distribution', viewport: desktop, colorScheme: 'light', hash: '#/kpi/booking-response-time?window=15m', from: '[data-panel="distribution"]' },
  { name: 'explore', viewport: desktop, colorScheme: 'light', hash: '#/explore?metric=booking_response_time&agg=p95&by=route&window=15m' },
  { name: 'sources', viewport: desktop, colorScheme: 'light', hash: '#/sources?window=15m' },
  { name: 'spanish', viewport: desktop, colorScheme: 'light', locale: 'es-ES', hash: '#/?window=1h' },
  { name: 'phone', viewport: phone, colorScheme: 'light', hash: '#/?window=15m' },
];

mkdirSync(folder, { recursive: true });
const [browser, gateway] = await Promise.all([launch(), startGateway({ flags: ['--demo'] })]);
for (const { name, viewport, colorScheme, locale = 'en-GB', hash, from } of stops) {
  const { page, context, watch } = await openPage(browser, { allowed: [gateway.url], viewport, colorScheme, locale });
  await page.goto(`${gateway.url}/${hash}`);
  await page.locator('[data-connection]', { hasText: /Live|En directo/ }).waitFor();
  if (['kpi', 'distribution', 'explore', 'sources'].includes(name)) await page.locator('.figures tbody tr').first().waitFor();
  if (name === 'chart') await page.locator('.focus-chart .scatterlayer path').first().waitFor({ state: 'attached' });
  if (from) {
    // Below the head of the page, which stays where it is.
    await page.locator(from).evaluate((found) => scrollBy(0, found.getBoundingClientRect().top - 120));
    await page.locator('.spread-cursor').press('End');
  }
  await page.screenshot({ path: path.join(folder, `${name}.png`) });
  watch.check();
  await context.close();
}
await browser.close();
await gateway.stop();
