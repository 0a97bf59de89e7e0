// Vite's development server, with the one setting that the package's read-me names.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createServer } from 'vite';
import { launch } from '../browser/support/chromium.mjs';
import { assertComputes } from './support/page.mjs';
import { project } from './support/project.mjs';

test('the page works unbuilt, when the package is left out of pre-bundling', async () => {
  const consumer = await project('page');
  const server = await createServer({
    root: consumer.folder,
    logLevel: 'error',
    server: { host: '127.0.0.1', port: 0 },
    optimizeDeps: { exclude: ['bellwether'] },
  });
  const browser = await launch();
  try {
    await server.listen();
    const origin = `http://127.0.0.1:${server.httpServer.address().port}`;
    await assertComputes(browser, `${origin}/`);
  } finally {
    await browser.close();
    await server.close();
    consumer.remove();
  }
});
