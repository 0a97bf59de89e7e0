// hdr-histogram-js, in WebAssembly: 2 digits of whole microseconds; a window adds and takes away slices of 10 s.
import hdr from 'hdr-histogram-js';

await hdr.initWebAssembly();
const SLICE_MS = 10_000;
const fresh = () =>
  hdr.build({
    bitBucketSize: 32,
    autoResize: false,
    lowestDiscernibleValue: 1,
    highestTrackableValue: 60_000_000,
    numberOfSignificantValueDigits: 2,
    useWebAssembly: true,
  });

export function create({ mode, nSeries, windowMs }) {
  const histograms = () => Array.from({ length: nSeries }, fresh);
  const totals = histograms();
  const slices = [];
  const spare = [];
  const current = (number) => {
    if (slices.at(-1)?.number !== number) slices.push({ number, histograms: spare.pop() ?? histograms() });
    return slices.at(-1).histograms;
  };
  return {
    ingest({ seriesIds, ts, values }) {
      for (let place = 0; place < values.length; place += 1) {
        const micros = Math.round(values[place] * 1000);
        totals[seriesIds[place]].recordValue(micros);
        if (mode === 'window') current(Math.floor(ts[place] / SLICE_MS))[seriesIds[place]].recordValue(micros);
      }
    },
    advance(now) {
      while (slices.length > 0 && slices[0].number < Math.floor((now - windowMs) / SLICE_MS)) {
        const { histograms: gone } = slices.shift();
        for (const [series, histogram] of gone.entries()) {
          if (histogram.totalCount > 0) totals[series].subtract(histogram);
          histogram.reset();
        }
        spare.push(gone);
      }
    },
    query(now, out) {
      if (mode === 'window') this.advance(now);
      for (const [series, total] of totals.entries()) {
        out.count[series] = total.totalCount;
        out.avg[series] = total.mean / 1000;
        out.p50[series] = total.getValueAtPercentile(50) / 1000;
        out.p95[series] = total.getValueAtPercentile(95) / 1000;
        out.p99[series] = total.getValueAtPercentile(99) / 1000;
      }
    },
    dispose() {
      for (const histogram of [totals, ...slices.map((slice) => slice.histograms), ...spare].flat()) histogram.destroy();
    },
  };
}
