// The API reference in docs/api: made from the types without a complaint, and of the types as they are now.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../browser/support/gateway.mjs';
import { writeReference } from './api.mjs';

const committed = path.resolve(import.meta.dirname, '../../docs/api');
const headings = (folder, file) => readFileSync(path.join(folder, file), 'utf8').split('\n').filter((line) => /^#{1,5} /.test(line));

test('docs/api describes what the package exports', async () => {
  const { folder, remove } = temporaryFolder();
  try {
    assert.equal(await writeReference(folder), 0, 'typedoc complained, see above');
    for (const file of ['index.md', 'collector.md']) {
      assert.deepEqual(headings(committed, file), headings(folder, file), 'docs/api is old; `node tests/npm/api.mjs` writes it anew');
    }
  } finally {
    remove();
  }
});
