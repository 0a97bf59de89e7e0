// A page built by Vite without any plug-in, in a real Chromium: on the page itself and in a module worker.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { build } from 'vite';
import { launch } from '../browser/support/chromium.mjs';
import { serveFolder } from '../browser/support/static-server.mjs';
import { assertComputes } from './support/page.mjs';
import { project } from './support/project.mjs';

let consumer;
let site;
let browser;

before(async () => {
  consumer = await project('page');
  await build({ root: consumer.folder, base: './', logLevel: 'error', worker: { format: 'es' } });
  site = await serveFolder(path.join(consumer.folder, 'dist'), '/deep/path/');
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await site?.close();
  consumer?.remove();
});

test('the page and its worker compute the same figures', async () => {
  await assertComputes(browser, site.url);
});

test('the wasm is a file of the build, once', () => {
  const assets = readdirSync(path.join(consumer.folder, 'dist/assets'));
  assert.equal(assets.filter((name) => name.endsWith('.wasm')).length, 1, assets.join(' '));
});
