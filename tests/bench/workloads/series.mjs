// Many series at one sample a second each: what they weigh, the longest call, and a query of one of them.
import { START_MS, uniform } from '../lib/generate.mjs';
import { median, memoryMb, settledMemoryMb } from '../lib/measure.mjs';
import { Engine } from '../adapter.mjs';

const BATCH = 500;

function filled(series, seconds, watch) {
  const random = uniform(1);
  let now = START_MS;
  const engine = new Engine({ clock: () => now });
  const handles = Uint32Array.from({ length: series }, (_, place) => engine.series('load', { host: `host-${place}` }));
  const ts = new Float64Array(series);
  const values = new Float64Array(series);
  for (let second = 0; second < seconds; second += 1) {
    now += 1000;
    ts.fill(now);
    for (let place = 0; place < series; place += 1) values[place] = 100 * random();
    for (let place = 0; place < series; place += BATCH) {
      const cut = (column) => column.subarray(place, place + BATCH);
      const start = performance.now();
      engine.recordColumns(cut(handles), cut(ts), cut(values));
      watch?.(performance.now() - start, second);
    }
  }
  return engine;
}

/** Median time of a query over one series. */
function queryMs(engine) {
  const times = [];
  for (let repetition = 0; repetition < 200; repetition += 1) {
    const start = performance.now();
    const { count } = engine.query({ name: 'load', window: '5m', agg: 'p95', where: { host: 'host-7' } });
    times.push(performance.now() - start);
    if (count === 0) throw new Error('the series has no samples');
  }
  return median(times);
}

export function run(_, { series, seconds, warmSeconds }) {
  const few = filled(10, Math.min(seconds, 600));
  const ofFewMs = queryMs(few);
  few.free();
  const before = settledMemoryMb();
  let longestMs = 0;
  let peakMb = 0;
  const engine = filled(series, seconds, (ms, second) => {
    if (second > warmSeconds) longestMs = Math.max(longestMs, ms);
    if (second % 60 === 0) peakMb = Math.max(peakMb, memoryMb() - before);
  });
  const { bytes, wasmBytes } = engine.memory();
  return { ms: queryMs(engine), ofFewMs, longestMs, memoryMb: Math.max(peakMb, memoryMb() - before), engineMb: bytes / 1e6, wasmMb: wasmBytes / 1e6 };
}
