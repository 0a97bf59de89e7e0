// The types: strict, in both ways of resolving modules, and the same as those generated from the engine.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { project } from './support/project.mjs';

const strict = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess', '--target', 'es2022', '--types', ''];
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
  ['a CommonJS module under nodenext', [...nodenext, '--lib', 'es2022'], 'use.cts'],
  ['written and generated types agree', [...nodenext, '--lib', 'es2022,dom,esnext.disposable'], 'generated.ts'],
];

for (const [name, parameters, file] of cases) {
  test(name, async () => {
    assert.equal(await consumer.tsc(...strict, ...parameters, file), '');
  });
}

test('a wrong use is caught', async () => {
  const complaints = await consumer.tsc(...strict, ...nodenext, '--lib', 'es2022', 'wrong.ts');
  assert.match(complaints, /wrong\.ts\(4,.*TS2322/);
});
