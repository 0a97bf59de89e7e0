// Bellwether's `Points`: the points are in the engine's memory already.
import { Points, meta } from '../adapter.mjs';

export { meta };

export function prepare(x, y) {
  const points = new Points();
  points.extend(x, y);
  return (columns) => points.m4(columns);
}
