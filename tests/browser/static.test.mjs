// The static site: any host, any path, a gateway elsewhere.
import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { launch, openPage } from './support/chromium.mjs';
import { dist, startGateway, temporaryFolder } from './support/gateway.mjs';
import { card, live } from './support/overview.mjs';
import { serveFolder } from './support/static-server.mjs';

let browser;
let site;
let gateway;
const copy = temporaryFolder();
before(async () => {
  browser = await launch();
  cpSync(dist, copy.folder, { recursive: true });
  site = await serveFolder(copy.folder, '/some/deep/path/');
  gateway = await startGateway({ flags: ['--allow-origin', site.origin] });
  // What a host edits: where the gateway is, and that the page may reach it.
  writeFileSync(path.join(copy.folder, 'config.json'), JSON.stringify({ gateway: gateway.url, board: null, title: 'Elsewhere' }));
  allowOrigin(path.join(copy.folder, 'index.html'), gateway.url);
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
  await site?.close();
  copy.remove();
});

/** What `dist --connect <origin>` does: names the gateway in the page's own Content Security Policy. */
function allowOrigin(file, origin) {
  const html = readFileSync(file, 'utf8');
  const policy = html.replace(/connect-src [^;]*/, `connect-src 'self' ${origin} ${origin.replace(/^http/, 'ws')}`);
  assert.notEqual(policy, html, 'the page carries its policy');
  writeFileSync(file, policy);
}

test('under a deep path of a plain static server the page is live', async () => {
  const { page, context, watch } = await openPage(browser, { allowed: [site.origin, gateway.url] });
  await page.goto(site.url);
  await live(page);
  await card(page, 'host-cpu').locator('.figure-value', { hasText: /\d\s?%/ }).waitFor();
  assert.equal(await page.getByRole('heading', { level: 1 }).innerText(), 'Elsewhere');
  await page.locator('[data-panel="host-cpu"]').getByRole('link', { name: /Analyse/ }).click();
  await page.locator('.focus-chart .main-svg').first().waitFor();
  watch.check();
  await context.close();
});

test('an origin that the gateway does not know is told what lets it in', async () => {
  const stranger = await serveFolder(copy.folder, '/');
  const { page, context, watch } = await openPage(browser, { allowed: [stranger.origin, gateway.url] });
  watch.expect(/WebSocket connection to .* failed|403|CORS|ERR_FAILED/);
  await page.goto(stranger.url);
  await page.getByRole('heading', { name: 'The gateway does not let this page in' }).waitFor();
  await page.getByText(`start it with --allow-origin ${stranger.origin}`).waitFor();
  watch.check();
  await context.close();
  await stranger.close();
});

test('a page whose policy forbids its gateway says so, and how the site is built for it', async () => {
  // As it is built without --connect: any gateway with TLS, and this one has none.
  const unbuilt = temporaryFolder();
  cpSync(dist, unbuilt.folder, { recursive: true });
  writeFileSync(path.join(unbuilt.folder, 'config.json'), JSON.stringify({ gateway: gateway.url }));
  const own = await serveFolder(unbuilt.folder, '/');
  const { page, context, watch } = await openPage(browser, { allowed: [own.origin, gateway.url] });
  watch.expect(/Content Security Policy/);
  await page.goto(own.url);
  await page.getByRole('heading', { name: 'The browser does not let this page reach its gateway' }).waitFor();
  await page.getByText(`cargo xtask dist --connect ${gateway.url},`).waitFor();
  await page.locator('[data-connection]', { hasText: 'Blocked by the browser' }).waitFor();
  watch.check();
  await context.close();
  await own.close();
  unbuilt.remove();
});

test('a gateway that is not there is told from one that is', async () => {
  // A port that was free a moment ago.
  const gone = await serveFolder(copy.folder, '/');
  await gone.close();
  const lost = temporaryFolder();
  cpSync(dist, lost.folder, { recursive: true });
  writeFileSync(path.join(lost.folder, 'config.json'), JSON.stringify({ gateway: gone.origin }));
  allowOrigin(path.join(lost.folder, 'index.html'), gone.origin);
  const own = await serveFolder(lost.folder, '/');
  const { page, context, watch } = await openPage(browser, { allowed: [own.origin, gone.origin] });
  watch.expect(/WebSocket connection to .* failed|ERR_CONNECTION_REFUSED/);
  await page.goto(own.url);
  await page.getByText(`Nothing answers at ${gone.origin}.`).waitFor();
  watch.check();
  await context.close();
  await own.close();
  lost.remove();
});
