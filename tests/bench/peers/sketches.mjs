// @datadog/sketches-js: a DDSketch of 1 % for each series; a window is merged out of one sketch a slice.
import sketches from '@datadog/sketches-js';

const { DDSketch } = sketches;
const fresh = () => new DDSketch({ relativeAccuracy: 0.01 });

const SLICE_MS = 10_000;

export function create({ mode, nSeries, windowMs }) {
  return mode === 'all' ? whole(nSeries) : sliding(nSeries, windowMs);
}

function tell(out, series, sketch) {
  out.count[series] = sketch.count;
  out.avg[series] = sketch.sum / sketch.count;
  out.p50[series] = sketch.getValueAtQuantile(0.5);
  out.p95[series] = sketch.getValueAtQuantile(0.95);
  out.p99[series] = sketch.getValueAtQuantile(0.99);
}

function whole(nSeries) {
  const sketches = Array.from({ length: nSeries }, fresh);
  return {
    ingest({ seriesIds, values }) {
      for (let place = 0; place < values.length; place += 1) sketches[seriesIds[place]].accept(values[place]);
    },
    query(now, out) {
      for (const [series, sketch] of sketches.entries()) tell(out, series, sketch);
    },
  };
}

function sliding(nSeries, windowMs) {
  const series = Array.from({ length: nSeries }, () => new Map());
  return {
    ingest({ seriesIds, ts, values }) {
      for (let place = 0; place < values.length; place += 1) {
        const slices = series[seriesIds[place]];
        const slice = Math.floor(ts[place] / SLICE_MS);
        let sketch = slices.get(slice);
        if (!sketch) slices.set(slice, (sketch = fresh()));
        sketch.accept(values[place]);
      }
    },
    advance(now) {
      const gone = Math.floor((now - windowMs) / SLICE_MS);
      for (const slices of series) {
        for (const slice of slices.keys()) {
          // The slice at the window's edge is still in it.
          if (slice >= gone) break;
          slices.delete(slice);
        }
      }
    },
    query(now, out) {
      this.advance(now);
      for (const [place, slices] of series.entries()) {
        const merged = fresh();
        for (const sketch of slices.values()) merged.merge(sketch);
        tell(out, place, merged);
      }
    },
  };
}
