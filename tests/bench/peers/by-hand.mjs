// What a careful JavaScript programmer would write: a log-linear histogram indexed by the float's own bits (64 value
// buckets for each power of two, 0.79 % of error), and a ring of all samples so that each can be undone when it leaves.

const SUB_BITS = 6;
const LEAST_EXPONENT = 1023 - 14;
const BUCKETS = 38 << SUB_BITS;
const GROUPS = BUCKETS >> 6;

const float = new Float64Array(1);
const bits = new Uint32Array(float.buffer);

/** The value bucket of a value, from the upper half of its bits. */
function bucketOf(value) {
  float[0] = value;
  const bucket = (bits[1] >>> (20 - SUB_BITS)) - (LEAST_EXPONENT << SUB_BITS);
  return bucket < 0 ? 0 : bucket >= BUCKETS ? BUCKETS - 1 : bucket;
}

function lowerBound(bucket) {
  bits[1] = (bucket + (LEAST_EXPONENT << SUB_BITS)) << (20 - SUB_BITS);
  bits[0] = 0;
  return float[0];
}

const MIDDLES = Float64Array.from({ length: BUCKETS }, (_, bucket) => (lowerBound(bucket) + lowerBound(bucket + 1)) / 2);

export function create({ mode, nSeries, windowMs }) {
  const counts = new Uint32Array(nSeries * BUCKETS);
  const groups = new Uint32Array(nSeries * GROUPS);
  const totals = new Float64Array(nSeries);
  const sums = new Float64Array(nSeries);
  const slides = mode === 'window';
  let ring = { times: new Float64Array(1 << 14), values: new Float64Array(1 << 14), places: new Uint32Array(1 << 14) };
  let head = 0;
  let length = 0;

  function grow() {
    const capacity = ring.times.length;
    const wider = { times: new Float64Array(2 * capacity), values: new Float64Array(2 * capacity), places: new Uint32Array(2 * capacity) };
    for (let place = 0; place < length; place += 1) {
      const from = (head + place) & (capacity - 1);
      for (const column of ['times', 'values', 'places']) wider[column][place] = ring[column][from];
    }
    ring = wider;
    head = 0;
  }

  function expire(now) {
    const { times, values, places } = ring;
    const gone = now - windowMs;
    while (length > 0 && times[head] <= gone) {
      const place = places[head];
      const series = (place / BUCKETS) | 0;
      counts[place] -= 1;
      groups[place >>> 6] -= 1;
      totals[series] -= 1;
      sums[series] -= values[head];
      head = (head + 1) & (times.length - 1);
      length -= 1;
    }
  }

  function quantile(series, q) {
    const rank = Math.floor((totals[series] - 1) * q);
    let before = 0;
    let group = 0;
    while (group < GROUPS && before + groups[series * GROUPS + group] <= rank) before += groups[series * GROUPS + group++];
    let bucket = group << 6;
    while (bucket < BUCKETS && before + counts[series * BUCKETS + bucket] <= rank) before += counts[series * BUCKETS + bucket++];
    return MIDDLES[bucket];
  }

  return {
    ingest({ seriesIds, ts, values }) {
      for (let sample = 0; sample < values.length; sample += 1) {
        const series = seriesIds[sample];
        const value = values[sample];
        const place = series * BUCKETS + bucketOf(value);
        counts[place] += 1;
        groups[place >>> 6] += 1;
        totals[series] += 1;
        sums[series] += value;
        if (slides) {
          if (length === ring.times.length) grow();
          const { times, values: kept, places } = ring;
          const tail = (head + length++) & (times.length - 1);
          times[tail] = ts[sample];
          kept[tail] = value;
          places[tail] = place;
        }
      }
    },
    query(now, out) {
      if (slides) expire(now);
      for (let series = 0; series < nSeries; series += 1) {
        out.count[series] = totals[series];
        out.avg[series] = sums[series] / totals[series];
        out.p50[series] = quantile(series, 0.5);
        out.p95[series] = quantile(series, 0.95);
        out.p99[series] = quantile(series, 0.99);
      }
    },
  };
}
