// W4: a million points, unevenly spaced, to the points that draw them on 1,000 pixel columns.
import { unevenWalk } from '../lib/generate.mjs';
import { median } from '../lib/measure.mjs';

/** How far the drawn line is from all points: mean distance of least and greatest over pixel columns, as a share of the range. */
function envelopeError({ x, y }, places, columns) {
  const width = (x[x.length - 1] - x[0]) * (1 + 1e-12);
  const extremes = () => ({ least: new Float64Array(columns).fill(Infinity), greatest: new Float64Array(columns).fill(-Infinity) });
  const note = ({ least, greatest }, place) => {
    const column = Math.floor(((x[place] - x[0]) / width) * columns);
    least[column] = Math.min(least[column], y[place]);
    greatest[column] = Math.max(greatest[column], y[place]);
  };
  const all = extremes();
  for (let place = 0; place < y.length; place += 1) note(all, place);
  const drawn = extremes();
  for (const place of places) note(drawn, place);
  let sum = 0;
  for (let column = 0; column < columns; column += 1) {
    if (all.least[column] === Infinity) continue;
    // A column in which nothing is drawn misses all of its height.
    sum += drawn.least[column] === Infinity
      ? all.greatest[column] - all.least[column]
      : Math.abs(drawn.least[column] - all.least[column]) + Math.abs(drawn.greatest[column] - all.greatest[column]);
  }
  return sum / columns / (Math.max(...all.greatest.filter(Number.isFinite)) - Math.min(...all.least.filter(Number.isFinite)));
}

export function run({ prepare, timed }, { points, columns, repetitions }) {
  const line = unevenWalk(points);
  if (timed) {
    const { ms, places } = timed(line.x, line.y, columns, repetitions);
    return { ms, points: places.length, envelopeError: envelopeError(line, places, columns) };
  }
  const draw = prepare(line.x, line.y);
  const times = [];
  let places;
  for (let repetition = 0; repetition < repetitions; repetition += 1) {
    const start = performance.now();
    places = draw(columns);
    times.push(performance.now() - start);
  }
  return { ms: median(times), firstMs: times[0], points: places.length, envelopeError: envelopeError(line, places, columns) };
}
