// The types: strict, in both ways of resolving modules, and the same as those generated from the engine.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { project } from './support/project.mjs';

const strict = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess', '--target', 'es2022'];
const noTypes = ['--types', ''];
const nodenext = ['--module', 'nodenext', '--moduleResolution', 'nodenext'];
const bundler = ['--module', 'esnext', '--moduleResolution', 'bundler'];

let consumer;
before(async () => {
  consumer = await project('types');
});
after(() => consumer?.remove());

const cases = [
  ['nodenext, without the types of the DOM', [...nodenext, '--lib', 'es2022'], 'use.ts'],
  ['nodenext, with them', [...nodenext, '--lib', 'es2022,dom'], 'use.ts'],
  ['bundler', [...bundler, '--lib', 'es2022,dom'], 'use.ts'],
  ['the collector, nodenext, without the types of the DOM', [...nodenext, '--lib', 'es2022'], 'collector.ts'],
  ['the collector, bundler', [...bundler, '--lib', 'es2022,dom'], 'collector.ts'],
  ['the live client, nodenext, without the types of the DOM', [...nodenext, '--lib', 'es2022'], 'live.ts'],
  ['the live client, bundler', [...bundler, '--lib', 'es2022,dom'], 'live.ts'],
  ['the live client, with the platform\'s WebSocket', [...bundler, '--lib', 'es2022,dom'], 'live-dom.ts'],
  ['the reader of frames, nodenext, without the types of the DOM', [...nodenext, '--lib', 'es2022'], 'frame.ts'],
  ['the reader of frames, bundler', [...bundler, '--lib', 'es2022,dom'], 'frame.ts'],
  ['a CommonJS module under nodenext', [...nodenext, '--lib', 'es2022'], 'use.cts'],
  ['written and generated types agree', [...nodenext, '--lib', 'es2022,dom,esnext.disposable'], 'generated.ts'],
];

for (const [name, parameters, file] of cases) {
  test(name, async () => {
    assert.equal(await consumer.tsc(...strict, ...noTypes, ...parameters, file), '');
  });
}

test('the middleware fits the types of Express and Fastify', async () => {
  for (const name of ['@types', 'fastify']) symlinkSync(path.join(import.meta.dirname, 'node_modules', name), path.join(consumer.folder, 'node_modules', name));
  // What those packages' own types lack is theirs.
  assert.equal(await consumer.tsc(...strict, '--types', 'node', '--skipLibCheck', ...nodenext, '--lib', 'es2022', 'servers.ts'), '');
});

test('the compiler before takes them too', async () => {
  for (const file of ['use.ts', 'collector.ts']) {
    assert.equal(await consumer.earlierTsc(...strict, ...nodenext, '--lib', 'es2022,dom', file), '');
  }
});

test('a wrong use is caught', async () => {
  const complaints = await consumer.tsc(...strict, ...noTypes, ...nodenext, '--lib', 'es2022', 'wrong.ts');
  assert.match(complaints, /wrong\.ts\(4,.*TS2322/);
});

/** The text of a file of types without its comments. */
const uncommented = (file) => readFileSync(file, 'utf8').replace(/\/\*.*?\*\/|\/\/.*?$/gms, '');

test('nothing in the types is `any`', () => {
  const root = path.join(consumer.folder, 'node_modules/bellwether');
  const written = readdirSync(root, { recursive: true }).filter((name) => name.endsWith('.d.ts') && !name.startsWith('dist'));
  assert.ok(written.length > 10, written.join(' '));
  for (const name of written) assert.doesNotMatch(uncommented(path.join(root, name)), /\bany\b/, name);
});

test('the types name every code that the engine throws, and no other', () => {
  const crate = path.resolve(import.meta.dirname, '../../crates/wasm');
  const files = (folder, ending) =>
    readdirSync(path.join(crate, folder))
      .filter((name) => name.endsWith(ending))
      .map((name) => readFileSync(path.join(crate, folder, name), 'utf8'))
      .join('\n');
  const found = (text, pattern) => [...text.matchAll(pattern)].map(([, code]) => code);
  const thrown = new Set([
    ...found(files('src', '.rs'), /(?:Refusal::new\(|coded\(|\} => |\(_\) => )\s*"([a-z_]+)"/g),
    ...found(files('js', '.js'), /new BellwetherError\(\s*'([a-z_]+)'/g),
    ...found(files('js', '.ts'), /new BellwetherError\(\s*'([a-z_]+)'/g),
    ...found(files('js/live', '.ts'), /(?:new BellwetherError|lose)\(\s*'([a-z_]+)'/g),
  ]);
  const types = uncommented(path.join(crate, 'js/error.d.ts'));
  const named = found(types.match(/export type ErrorCode =([^;]*);/)[1], /'([a-z_]+)'/g);
  assert.deepEqual(named.toSorted(), [...thrown].toSorted());
});
