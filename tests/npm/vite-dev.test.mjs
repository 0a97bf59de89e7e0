// Vite's development server, as it comes and with the package left out of what it bundles beforehand.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createServer } from 'vite';
import { launch } from '../browser/support/chromium.mjs';
import { assertComputes } from './support/page.mjs';
import { project } from './support/project.mjs';

for (const [name, settings] of [
  ['as it comes', {}],
  ['below a path', { base: '/below/a/path/' }],
  ['with the package left out of what is bundled beforehand', { optimizeDeps: { exclude: ['bellwether'] } }],
]) {
  test(`the page and its worker compute unbuilt, ${name}`, async () => {
    const consumer = await project('page');
    const server = await createServer({
      root: consumer.folder,
      logLevel: 'error',
      server: { host: '127.0.0.1', port: 0 },
      ...settings,
    });
    const browser = await launch();
    try {
      await server.listen();
      await assertComputes(browser, `http://127.0.0.1:${server.httpServer.address().port}${server.config.base}`);
      const bundled = Object.keys(server.environments.client.depsOptimizer.metadata.optimized);
      assert.equal(bundled.includes('bellwether'), settings.optimizeDeps === undefined);
    } finally {
      await browser.close();
      await server.close();
      consumer.remove();
    }
  });
}
