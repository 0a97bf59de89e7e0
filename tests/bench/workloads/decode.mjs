// W3: frames of 500 samples, as they come out of a socket, to columns of series numbers, timestamps and values.
import { responseTimes } from '../lib/generate.mjs';
import { median } from '../lib/measure.mjs';

const FRAME = 500;

/** Columns that are filled, and the numbers of the series in them. */
function sink(samples) {
  const numbers = new Map();
  return {
    length: 0,
    series: new Uint32Array(samples),
    timestampsMs: new Float64Array(samples),
    values: new Float64Array(samples),
    numberOf(name, labels) {
      const key = `${name}|${labels.host}|${labels.route}|${labels.method}`;
      return numbers.get(key) ?? numbers.set(key, numbers.size).get(key);
    },
    count: () => numbers.size,
  };
}

const sum = (numbers) => numbers.reduce((all, one) => all + one, 0);

export function run({ encode, decoder }, { samples, repetitions }) {
  const all = responseTimes({ samples });
  // As they are written in texts: whole milliseconds, three places.
  for (let place = 0; place < samples; place += 1) {
    all.ts[place] = Math.round(all.ts[place]);
    all.values[place] = Math.round(all.values[place] * 1_000) / 1_000;
  }
  const frames = [];
  for (let place = 0; place < samples; place += FRAME) {
    const cut = (column) => column.subarray(place, place + FRAME);
    frames.push(encode({ seriesIds: cut(all.seriesIds), ts: cut(all.ts), values: cut(all.values) }));
  }
  const bytes = sum(frames.map((frame) => frame.length));
  const times = [];
  let longestMs = 0;
  let filled;
  for (let repetition = 0; repetition < repetitions; repetition += 1) {
    filled = sink(samples);
    const decode = decoder(filled);
    const start = performance.now();
    let before = start;
    for (const frame of frames) {
      decode(frame);
      const now = performance.now();
      // The first time round the code is still being compiled.
      if (repetition > 0) longestMs = Math.max(longestMs, now - before);
      before = now;
    }
    times.push(before - start);
  }
  const ms = median(times);
  // Within a frame the order is the format's; what must agree is how many there are, and their sums.
  const off = (column, exact) => Math.abs(sum(column) - sum(exact)) / sum(exact);
  return {
    ms,
    millionsASecond: samples / ms / 1_000,
    bytesASample: bytes / samples,
    longestMs,
    series: filled.count(),
    wrong: filled.length === samples ? Math.max(off(filled.values, all.values), off(filled.timestampsMs, all.ts)) : 1,
  };
}
