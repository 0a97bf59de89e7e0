// W2: a window of 5 minutes with exact expiry at each second; one tick is the samples of a second and all figures.
import { emptyAnswers } from '../lib/answers.mjs';
import { errors, sortedValues } from '../lib/exact.mjs';
import { START_MS, responseTimes } from '../lib/generate.mjs';
import { median, memoryMb, percentile, settledMemoryMb } from '../lib/measure.mjs';

const SERIES = 100;
const WINDOW_MS = 300_000;

/** The first place whose timestamp is after `instant`. */
function placeAfter(ts, instant) {
  let low = 0;
  let high = ts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ts[middle] <= instant) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** `warmSeconds` fill the window and wake the compiler, unmeasured; the rest up to `seconds` is measured. */
export function run({ create }, { rate, seconds, warmSeconds, batch, budgetSeconds }) {
  const all = responseTimes({ samples: Math.floor(rate * seconds), series: SERIES, rate });
  const names = Array.from({ length: SERIES }, (_, series) => `series-${series}`);
  const before = settledMemoryMb();
  const peer = create({ mode: 'window', nSeries: SERIES, names, windowMs: WINDOW_MS, rate });
  const out = emptyAnswers(SERIES);
  const ticksMs = [];
  let peakMb = 0;
  let longestMs = 0;
  let next = 0;
  let second = 0;
  const begun = performance.now();
  while (second < seconds && performance.now() - begun < budgetSeconds * 1000) {
    second += 1;
    const now = START_MS + second * 1000;
    const end = placeAfter(all.ts, now);
    const isMeasured = second > warmSeconds;
    const start = performance.now();
    let paused = start;
    const pause = () => {
      const until = performance.now();
      if (isMeasured) longestMs = Math.max(longestMs, until - paused);
      paused = until;
    };
    for (; next < end; next += batch) {
      const until = Math.min(next + batch, end);
      const cut = (column) => column.subarray(next, until);
      peer.ingest({ seriesIds: cut(all.seriesIds), ts: cut(all.ts), values: cut(all.values) });
      pause();
    }
    next = end;
    // Everybody is asked while the window fills, so that what is measured is compiled.
    peer.query(now, out);
    pause();
    if (isMeasured) ticksMs.push(paused - start);
    if (second % 10 === 0) peakMb = Math.max(peakMb, memoryMb() - before);
  }
  const now = START_MS + second * 1000;
  const worst = errors(sortedValues(all, placeAfter(all.ts, now - WINDOW_MS), next), out);
  const isWhole = second === seconds;
  const wasmMb = (peer.memoryBytes?.() ?? 0) / 1e6;
  peer.dispose?.();
  return { ms: median(ticksMs), p95Ms: percentile(ticksMs, 0.95), longestMs, memoryMb: peakMb, wasmMb, ticks: ticksMs.length, isWhole, errors: worst };
}
