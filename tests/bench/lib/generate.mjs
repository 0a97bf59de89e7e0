// The same samples for everybody, at each run: mulberry32, and Box-Muller for the normal.

/** Instant of the first sample, in milliseconds since 1970. */
export const START_MS = 1_700_000_000_000;

/** Numbers in [0, 1) that follow from `seed`. */
export function uniform(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Response times in ms, log-normal and different for each series, evenly spaced in time at `rate` a second over all
 * series: columns of series numbers, timestamps and values.
 */
export function responseTimes({ samples, series = 100, rate = 1e6 / 3600, seed = 42 }) {
  const random = uniform(seed);
  const seriesIds = new Uint32Array(samples);
  const ts = new Float64Array(samples);
  const values = new Float64Array(samples);
  for (let place = 0; place < samples; place += 1) {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const id = Math.floor(random() * series);
    seriesIds[place] = id;
    values[place] = 20 * Math.exp(0.15 * (id % 10) + (0.4 + 0.1 * (id % 5)) * normal);
    ts[place] = START_MS + (place * 1000) / rate;
  }
  return { seriesIds, ts, values, series };
}

/** A random walk with a swell and rare spikes, 10 ms apart: what a chart has to show. */
export function walk(points, seed = 7) {
  const random = uniform(seed);
  const x = new Float64Array(points);
  const y = new Float64Array(points);
  let level = 0;
  for (let place = 0; place < points; place += 1) {
    level += random() - 0.5;
    const spike = random() < 0.0005 ? (random() - 0.5) * 200 : 0;
    x[place] = START_MS + place * 10;
    y[place] = level + spike + Math.sin(place / 5000) * 20;
  }
  return { x, y };
}

/** The same with steps between 0 and 20 ms: `random` stretches each. */
export function unevenWalk(points, seed = 7) {
  const { x, y } = walk(points, seed);
  const random = uniform(seed + 1);
  for (let place = 1; place < points; place += 1) x[place] = x[place - 1] + 20 * random();
  return { x, y };
}
