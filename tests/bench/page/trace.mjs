// What the main thread of a page was busy with, as Chromium's own trace tells it.

/** The category of each trace event that is read here. */
const CATEGORIES = ['toplevel', 'devtools.timeline', 'disabled-by-default-devtools.timeline', 'blink.user_timing'];

/**
 * Runs `use` under a trace.
 *
 * Gives `tasks`, the milliseconds of each task of the page's main thread between the beginning and the end of `use`, and
 * `ms`, the time between the two.
 */
export async function traced(page, use) {
  const session = await page.context().browser().newBrowserCDPSession();
  const events = [];
  session.on('Tracing.dataCollected', ({ value }) => events.push(...value));
  const traceConfig = { includedCategories: CATEGORIES, excludedCategories: ['*'] };
  await session.send('Tracing.start', { transferMode: 'ReportEvents', traceConfig });
  await page.evaluate(() => performance.mark('bench-begin'));
  await use();
  await page.evaluate(() => performance.mark('bench-end'));
  const complete = new Promise((resolve) => session.once('Tracing.tracingComplete', resolve));
  await session.send('Tracing.end');
  await complete;
  await session.detach();
  return tasksBetween(events, 'bench-begin', 'bench-end');
}

/** The tasks of one thread between two marks that it made itself; a task within a task is a part of it. */
export function tasksBetween(events, begin, end) {
  const mark = (name) => events.find((event) => event.cat.includes('blink.user_timing') && event.name === name);
  const [first, last] = [mark(begin), mark(end)];
  if (!first || !last) throw new Error('the trace has lost its marks');
  const own = events
    .filter(({ pid, tid, ph, name }) => pid === first.pid && tid === first.tid && ph === 'X' && name.endsWith('RunTask'))
    .sort((one, other) => one.ts - other.ts || other.dur - one.dur);
  const tasks = [];
  let over = -Infinity;
  for (const { ts, dur = 0 } of own) {
    if (ts < over) continue;
    over = ts + dur;
    const within = Math.min(over, last.ts) - Math.max(ts, first.ts);
    if (within > 0) tasks.push(within / 1000);
  }
  return { tasks, ms: (last.ts - first.ts) / 1000 };
}
