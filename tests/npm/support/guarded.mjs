// A real gateway that asks who is there.
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { startGateway, temporaryFolder } from '../../browser/support/gateway.mjs';

/** Starts one that knows a token for each of the scopes `ingest` and `read`; `remove()` stops it and takes its folder away. */
export async function guardedGateway({ flags }) {
  const { folder, remove } = temporaryFolder();
  const tokens = { ingest: 'a token of forty letters that may send', read: 'a token of forty letters that may read' };
  const line = ([scope, token]) => `${scope} ${scope} sha256:${createHash('sha256').update(token).digest('hex')}\n`;
  const file = path.join(folder, 'tokens');
  writeFileSync(file, Object.entries(tokens).map(line).join(''), { mode: 0o600 });
  const gateway = await startGateway({ flags: [...flags, '--tokens', file] });
  return {
    ...gateway,
    tokens,
    async remove() {
      await gateway.stop();
      remove();
    },
  };
}
