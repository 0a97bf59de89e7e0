// Bellwether's `Sketches` alone: a sketch for each series, nothing else is kept.
import { Sketches, meta as engine } from '../adapter.mjs';

export const meta = { ...engine, name: 'bellwether Sketches' };

export function create({ nSeries }) {
  const sketches = new Sketches(nSeries);
  return {
    ingest({ seriesIds, values }) {
      sketches.recordColumns(seriesIds, values);
    },
    query(now, out) {
      out.count.set(sketches.counts());
      for (const [series, sum] of sketches.sums().entries()) out.avg[series] = sum / out.count[series];
      for (const [word, q] of [['p50', 0.5], ['p95', 0.95], ['p99', 0.99]]) out[word].set(sketches.quantiles(q));
    },
    dispose: () => sketches.free(),
  };
}
