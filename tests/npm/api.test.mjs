// The API reference in docs/api: made from the types without a complaint, and of the types as they are now.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../browser/support/gateway.mjs';
import { writeReference } from './api.mjs';

const committed = path.resolve(import.meta.dirname, '../../docs/api');
const pages = (folder) => readdirSync(folder).sort().map((file) => [file, readFileSync(path.join(folder, file), 'utf8')]);

test('docs/api describes what the package exports', async () => {
  const { folder, remove } = temporaryFolder();
  try {
    assert.equal(await writeReference(folder), 0, 'typedoc complained, see above');
    assert.deepEqual(pages(committed), pages(folder), 'docs/api is old; `node tests/npm/api.mjs` writes it anew');
  } finally {
    remove();
  }
});
