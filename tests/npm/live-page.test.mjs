// The examples that show a live percentile, in a real Chromium, against a real gateway on another origin.
import assert from 'node:assert/strict';
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { build, createServer } from 'vite';
import { launch, openPage } from '../browser/support/chromium.mjs';
import { startGateway } from '../browser/support/gateway.mjs';
import { serveFolder } from '../browser/support/static-server.mjs';
import { road } from './support/cuts.mjs';
import { project } from './support/project.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

const asItIs = (folder) => serveFolder(folder, '/');

/** What Vite will make of it. */
const made = (folder) => serveFolder(path.join(folder, 'dist'), '/');

/** By Vite's development server, as the example's read-me says. */
async function developed(folder) {
  const server = await createServer({ root: folder, logLevel: 'error', server: { host: '127.0.0.1', port: 0 } });
  await server.listen();
  const origin = `http://127.0.0.1:${server.httpServer.address().port}`;
  return { origin, url: `${origin}/`, close: () => server.close() };
}

for (const [name, script, served] of [
  ['live-page', 'index.html', asItIs],
  ['live-react', 'main.jsx', developed],
  ['live-react', 'main.jsx', made],
  ['live-vue', 'main.js', developed],
  ['live-vue', 'main.js', made],
]) {
  test(`${name}, ${served.name}: a percentile follows the feed, also across a cut`, async (t) => {
    const consumer = await project('live');
    t.after(() => consumer.remove());
    const file = (one) => path.join(consumer.folder, one);
    cpSync(path.join(import.meta.dirname, '../../examples', name), consumer.folder, { recursive: true });
    // The packages that the example names.
    for (const one of ['react', 'react-dom', 'scheduler', 'vue', '@vue']) symlinkSync(path.join(import.meta.dirname, 'node_modules', one), file(`node_modules/${one}`));
    const site = await served(consumer.folder);
    t.after(() => site.close());
    const gateway = await startGateway({ flags: ['--no-host-metrics', '--allow-origin', site.origin] });
    t.after(() => gateway.stop());
    const way = await road(gateway.url);
    t.after(() => way.close());
    const text = readFileSync(file(script), 'utf8');
    const lines = text.split('\n').filter((line) => line.trim() !== '');
    assert.ok(lines.length < 30, `${lines.length} lines`);
    assert.ok(text.includes('http://127.0.0.1:4000'));
    writeFileSync(file(script), text.replace('http://127.0.0.1:4000', way.url));
    if (served === made) await build({ root: consumer.folder, logLevel: 'error' });
    const { page, context, watch } = await openPage(browser, { allowed: [site.origin, way.url] });
    // While the road is cut each attempt is a network error that no page can prevent.
    watch.expect(/WebSocket connection to .* failed|ERR_CONNECTION|ERR_EMPTY_RESPONSE/);
    await page.goto(`${site.url}index.html`);
    const shows = (words) => page.locator('#p99', { hasText: words }).waitFor();
    const stands = (state) => page.locator('#state', { hasText: state }).waitFor();
    await stands('live');
    await shows('no booking yet');
    const book = (...values) => gateway.ingest(values.map((value) => ({ name: 'booking_response_time', value })));
    await book(100, 100, 100);
    await shows('100 ms');
    way.cut();
    await stands('waiting');
    await book(500, 500, 500);
    way.mend();
    await stands('live');
    // Within the sketch's bound.
    await shows(/^(4[89]\d|50\d) ms$/);
    watch.check();
    await context.close();
  });
}
