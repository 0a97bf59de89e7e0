// The packed package as a whole: what it holds, how it is resolved, what it weighs.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { build } from 'esbuild';
import { publint } from 'publint';
import { packed, project } from './support/project.mjs';

/**
 * The most that the engine's WebAssembly and the JavaScript of each entry may weigh, gzipped by Node's zlib at level 9, in
 * bytes (1 KB = 1,000 bytes). The WebAssembly is to come down to 110 KB: its budget only ever falls.
 */
const BUDGETS = { wasm: 162_500, engine: 8_000, collector: 4_000, live: 8_500, frame: 1_500 };

let consumer;
let root;
before(async () => {
  consumer = await project('readme');
  root = path.join(consumer.folder, 'node_modules/bellwether');
});
after(() => consumer?.remove());

const manifest = () => JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));

test('publint has nothing to say', async () => {
  const { messages } = await publint({ pkgDir: root, strict: true, pack: false });
  assert.deepEqual(messages, []);
});

test('the types are resolved as the code is', async () => {
  const analysis = await checkPackage(createPackageFromTarballData(readFileSync(packed)), { excludeEntrypoints: ['bellwether_bg.wasm'] });
  assert.deepEqual(Object.keys(analysis.entrypoints), ['.', './collector', './frame', './live', './package.json']);
  // An ES module is what `require` gets, on purpose: every Node that the manifest names can do that.
  assert.deepEqual(analysis.problems.filter(({ kind }) => kind !== 'CJSResolvesToESM'), []);
});

test('types come first, and nothing runs when it is installed', () => {
  const { exports, scripts, dependencies, license, engines, sideEffects } = manifest();
  for (const entry of ['.', './collector', './frame', './live'].map((name) => exports[name])) assert.equal(Object.keys(entry)[0], 'types');
  assert.deepEqual({ scripts, dependencies, license, sideEffects }, {
    scripts: undefined, dependencies: undefined, license: 'MIT OR Apache-2.0', sideEffects: false,
  });
  assert.equal(engines.node, '^20.19.0 || >=22.12.0');
});

test('it holds its licences, its types, and maps that bring their sources', () => {
  const files = readdirSync(root, { recursive: true }).map((name) => name.replaceAll('\\', '/'));
  for (const name of ['LICENSE-MIT', 'LICENSE-APACHE', 'README.md', 'index.d.ts', 'collector.d.ts']) assert.ok(files.includes(name), name);
  assert.deepEqual(files.filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts')), []);
  const compiled = files.filter((name) => /^collector(\/.*)?\.js$/.test(name));
  assert.ok(compiled.length > 1);
  for (const name of compiled) {
    const { sourcesContent } = JSON.parse(readFileSync(path.join(root, `${name}.map`), 'utf8'));
    assert.equal(sourcesContent.length, 1);
    assert.ok(sourcesContent[0].length > 100, name);
  }
});

/** What a page loads for `code`, gzipped, in bytes. */
async function weight(code) {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: consumer.folder },
    bundle: true, minify: true, write: false, format: 'esm', target: 'es2022', platform: 'browser', logLevel: 'error',
  });
  return gzipSync(outputFiles[0].contents, { level: 9 }).length;
}

test('it keeps to its budgets', async (t) => {
  const weights = {
    wasm: gzipSync(readFileSync(path.join(root, 'dist/bellwether_bg.wasm')), { level: 9 }).length,
    engine: await weight("export * from 'bellwether';"),
    collector: await weight("export * from 'bellwether/collector';"),
    // With the engine's part.
    live: await weight("export * from 'bellwether/live';"),
    frame: await weight("export * from 'bellwether/frame';"),
  };
  t.diagnostic(`gzipped, in bytes: ${JSON.stringify(weights)}`);
  for (const [part, budget] of Object.entries(BUDGETS)) {
    assert.ok(weights[part] <= budget, `${part} weighs ${weights[part]} bytes, its budget is ${budget}`);
  }
});

test('what is not used is not loaded', async () => {
  assert.ok((await weight("import 'bellwether'; import 'bellwether/collector'; import 'bellwether/frame'; import 'bellwether/live';")) < 100);
  const error = await weight("import { BellwetherError } from 'bellwether/collector'; console.log(BellwetherError);");
  assert.ok(error < 400, `${error} bytes`);
});
