/** Columns for the figures of `series` series. */
export function emptyAnswers(series) {
  return Object.fromEntries(['count', 'avg', 'p50', 'p95', 'p99'].map((word) => [word, new Float64Array(series)]));
}
