// That the bench of the gateway measures what it says: everything that is sent arrives and is answered for. It knows
// no times.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { report } from '../report.mjs';
import { parts, sizes } from './w6.mjs';

const quiet = () => {};
const measured = { day: '', node: '', cores: 0, processor: '', load: [0] };

/** A part in its quick form with our gateway alone, and what the report says of it. */
async function ours(name) {
  const sections = await parts[name](sizes.quick, quiet, ['bellwether']);
  const text = report({ workloads: [], sections: sections.map((section) => ({ measured, ...section })) });
  for (const { title } of sections) assert.ok(text.includes(`## ${title}`));
  return sections.map(({ rows }) => rows);
}

test('remote write: each shape is stored whole', async () => {
  for (const [row] of await ours('w6-write')) assert.ok(row.micros > 0 && row.samplesASecond > 0, JSON.stringify(row));
});

test('fan-out: every viewer gets each message, and so do those of `ws`', async () => {
  const [[own, other]] = await ours('w6-fanout');
  for (const row of [own, other]) assert.ok(row.messagesASecond > 0 && row.bytes > 1000, JSON.stringify(row));
});

test('query: the figure is that of the samples', async () => {
  const [[row]] = await ours('w6-query');
  // Even between 20 and 60.
  assert.ok(row.figure > 58.5 && row.figure < 60.5, `${row.figure}`);
});

test('disk: what was recorded is sealed', async () => {
  const [[row]] = await ours('w6-disk');
  assert.ok(row.samples > 20 && row.chunkBytes > 0 && row.chunkBytes < 100, JSON.stringify(row));
});

test('steps: a viewer gets one message a second at both rates', async () => {
  for (const row of (await ours('w6-step'))[0]) assert.ok(row.messages > 0 && row.messages < 3, JSON.stringify(row));
});

test('delay: each viewer gets each value, beside one that takes none and one that comes anew', async () => {
  for (const row of (await ours('w6-delay'))[0]) assert.ok(row.viewers === 5 && row.missing === 0 && row.comings > 0, JSON.stringify(row));
});
