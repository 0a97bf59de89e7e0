// Bellwether as the bench drives it: through the packed package and its public API alone. W1 and W2 take `create`:
// `new Engine()` with its defaults. The default export is W3 and W4 for harnesses that list their contenders; here
// peers/own-frames.mjs and peers/own-points.mjs are it.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { binaryFrame, seriesOf } from './lib/frames.mjs';

const folder = process.env.BELLWETHER_NPM ?? path.resolve(import.meta.dirname, '../../target/npm/bellwether');
const { main, version } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
const entry = (file) => import(pathToFileURL(path.join(folder, file)));
export const { Engine, Points, Sketches, init } = await entry(main);
export const { frameReader } = await entry('frame.js');
await init();

const METRIC = 'latency';
const AGGREGATIONS = ['count', 'avg', 'p50', 'p95', 'p99'];

export const meta = { name: 'bellwether', version, notes: 'default tiers, everything kept; relative error ≤ 0.55 %' };

export function create({ mode, names, windowMs }) {
  let now = 0;
  const engine = new Engine({ clock: () => now });
  const handles = Uint32Array.from(names, (name) => engine.series(METRIC, { series: name }));
  // Handles are the places of the series, so that the bench's numbers serve as they are.
  if (handles.some((handle, place) => handle !== place)) throw new Error('series are not numbered from 0');
  // W1 asks for all of its hour.
  const table = engine.table({ name: METRIC, window: mode === 'all' ? '1h' : windowMs, aggs: AGGREGATIONS });
  return {
    ingest({ seriesIds, ts, values }) {
      now = Math.ceil(ts[ts.length - 1]);
      const { rejected } = engine.recordColumns(seriesIds, ts, values);
      if (rejected > 0) throw new Error(`${rejected} samples were refused`);
    },
    query(at, out) {
      const { columns } = table.answer(Math.ceil(at));
      for (const word of AGGREGATIONS) out[word].set(columns[word]);
    },
    memoryBytes: () => engine.memory().wasmBytes,
    dispose() {
      table.free();
      engine.free();
    },
  };
}

let reader;
/** The harness's number of each of the reader's series. */
let numbers;

export default [
  {
    // What is named so is held to its sums: the samples of a frame come one series after the other.
    name: 'bellwether (frames grouped by series; Points.m4)',
    version,
    encode: (frame) => binaryFrame(frame, seriesOf),
    init() {
      reader = frameReader();
      numbers = [];
    },
    parse: (frame) => frameReader().read(frame),
    columns(frame, sink) {
      const { series, timestampsMs, values } = reader.read(frame);
      while (numbers.length < reader.series.length) {
        const { name, labels } = reader.series[numbers.length];
        numbers.push(sink.idOf(name, labels));
      }
      for (let place = 0; place < series.length; place += 1) sink.sid[sink.n + place] = numbers[series[place]];
      sink.ts.set(timestampsMs, sink.n);
      sink.v.set(values, sink.n);
      sink.n += values.length;
    },
    prep(x, y) {
      const points = new Points();
      points.extend(x, y);
      return points;
    },
    // Four points for each column.
    run: (x, y, count, points) => ({ idx: points.m4(count >> 2) }),
  },
];
