// A page built by other bundlers than Vite, and one that is not built at all, in a real Chromium.
import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import esbuild from 'esbuild';
import webpack from 'webpack';
import { launch } from '../browser/support/chromium.mjs';
import { serveFolder } from '../browser/support/static-server.mjs';
import { assertComputes } from './support/page.mjs';
import { project } from './support/project.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

const builds = {
  async webpack(folder) {
    const stats = await promisify(webpack)({
      context: folder, mode: 'production', entry: './main.js', output: { path: path.join(folder, 'dist'), filename: 'main.js' },
      // What the wasm weighs is no fault of the build.
      performance: { hints: false },
    });
    assert.deepEqual([...stats.toJson().errors, ...stats.toJson().warnings], []);
    copyFileSync(path.join(folder, 'index.html'), path.join(folder, 'dist/index.html'));
    return 'dist';
  },
  // It leaves files alone that a script asks for: the wasm is put beside the bundles by hand.
  async esbuild(folder) {
    await esbuild.build({
      absWorkingDir: folder, entryPoints: ['main.js', 'worker.js'], bundle: true, minify: true, format: 'esm', outdir: 'dist', logLevel: 'error',
    });
    copyFileSync(path.join(folder, 'index.html'), path.join(folder, 'dist/index.html'));
    copyFileSync(path.join(folder, 'node_modules/bellwether/dist/bellwether_bg.wasm'), path.join(folder, 'dist/bellwether_bg.wasm'));
    return 'dist';
  },
  // A worker knows no import map, so it names the file.
  async 'no bundler'(folder) {
    const html = readFileSync(path.join(folder, 'index.html'), 'utf8');
    const map = '<script type="importmap">{ "imports": { "bellwether": "./node_modules/bellwether/index.js" } }</script>';
    writeFileSync(path.join(folder, 'index.html'), html.replace('</head>', `${map}</head>`));
    const figure = readFileSync(path.join(folder, 'figure.js'), 'utf8').replace("'bellwether'", "'./node_modules/bellwether/index.js'");
    writeFileSync(path.join(folder, 'worker.js'), figure.replace('export ', '') + '\npostMessage(await figure());\n');
    return '.';
  },
};

for (const [name, build] of Object.entries(builds)) {
  test(`${name}: the page and its worker compute the same figures`, async () => {
    const consumer = await project('page');
    let site;
    try {
      const built = await build(consumer.folder);
      site = await serveFolder(path.join(consumer.folder, built), '/deep/path/');
      await assertComputes(browser, site.url);
    } finally {
      await site?.close();
      consumer.remove();
    }
  });
}
