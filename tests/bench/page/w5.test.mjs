// That the bench of the page measures what it says. It knows no times.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { report } from '../report.mjs';
import { tasksBetween } from './trace.mjs';
import { parts, sizes } from './w5.mjs';

const measured = { day: '', node: '', cores: 0, processor: '', load: [0] };

/** A part in its quick form, and what the report says of it. */
async function ours(name) {
  const sections = await parts[name](sizes.quick, () => {});
  const text = report({ workloads: [], sections: sections.map((section) => ({ measured, ...section })) });
  for (const { title } of sections) assert.ok(text.includes(`## ${title}`));
  return sections[0].rows;
}

test('strips: both draw while they are watched', async () => {
  for (const row of await ours('w5-strips')) assert.ok(row.ms > 0.1 && row.longestMs > 0.1, JSON.stringify(row));
});

test('load: messages reach the screen, and the page is seen visible, hidden and coming back', async () => {
  const [visible, hidden, back] = await ours('w5-load');
  assert.ok(visible.busy > 0 && visible.p95Ms > 0 && hidden.busy > 0, JSON.stringify([visible, hidden]));
  assert.ok(back.longestMs > 0);
});

test('first figure: it is seen on this machine and on a slow one', async () => {
  const [fast, slow] = await ours('w5-first');
  assert.ok(slow.ms > 0 && fast.ms > 0, JSON.stringify([fast, slow]));
});

test('a task within a task counts once, and only what lies between the marks', () => {
  const mark = (name, ts) => ({ cat: 'blink.user_timing', name, ts, pid: 1, tid: 2, ph: 'R' });
  const task = (ts, dur, tid = 2) => ({ cat: 'toplevel', name: 'ThreadControllerImpl::RunTask', ph: 'X', pid: 1, tid, ts, dur });
  const events = [mark('a', 1_000), mark('b', 11_000), task(500, 1_000), task(2_000, 4_000), task(3_000, 1_000), task(4_000, 1_000, 3), task(10_000, 9_000), task(12_000, 5)];
  assert.deepEqual(tasksBetween(events, 'a', 'b'), { tasks: [0.5, 4, 1], ms: 10 });
  assert.throws(() => tasksBetween([], 'a', 'b'), /lost its marks/);
});
