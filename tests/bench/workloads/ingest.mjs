// W1: a million samples of 100 series in batches of 500, then p50, p95, p99, average and count of each series.
import { emptyAnswers } from '../lib/answers.mjs';
import { errors, sortedValues } from '../lib/exact.mjs';
import { responseTimes } from '../lib/generate.mjs';
import { median, memoryMb, settledMemoryMb } from '../lib/measure.mjs';

const SERIES = 100;

export function run({ create }, { samples, batch, repetitions }) {
  const all = responseTimes({ samples, series: SERIES });
  const batches = [];
  for (let place = 0; place < samples; place += batch) {
    const cut = (column) => column.subarray(place, place + batch);
    batches.push({ seriesIds: cut(all.seriesIds), ts: cut(all.ts), values: cut(all.values) });
  }
  const names = Array.from({ length: SERIES }, (_, series) => `series-${series}`);
  const before = settledMemoryMb();
  const ingestMs = [];
  const queryMs = [];
  let grownMb;
  let worst;
  for (let repetition = 0; repetition < repetitions; repetition += 1) {
    const peer = create({ mode: 'all', nSeries: SERIES, names, windowMs: Infinity });
    const out = emptyAnswers(SERIES);
    const start = performance.now();
    for (const one of batches) peer.ingest(one);
    const ingested = performance.now();
    peer.query(all.ts[samples - 1], out);
    ingestMs.push(ingested - start);
    queryMs.push(performance.now() - ingested);
    grownMb ??= memoryMb() - before;
    worst ??= errors(sortedValues(all, 0, samples), out);
    peer.dispose?.();
  }
  const ingest = median(ingestMs);
  return { ms: ingest + median(queryMs), ingestMs: ingest, queryMs: median(queryMs), firstMs: ingestMs[0], memoryMb: grownMb, errors: worst };
}
