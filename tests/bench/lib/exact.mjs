// What is exact, and how far an answer is from it.

const QUANTILES = { p50: 0.5, p95: 0.95, p99: 0.99 };

/** The values of samples `from..to` by series, each ascending. */
export function sortedValues({ seriesIds, values, series }, from, to) {
  const lengths = new Uint32Array(series);
  for (let place = from; place < to; place += 1) lengths[seriesIds[place]] += 1;
  const sorted = Array.from(lengths, (length) => new Float64Array(length));
  lengths.fill(0);
  for (let place = from; place < to; place += 1) {
    const id = seriesIds[place];
    sorted[id][lengths[id]++] = values[place];
  }
  for (const column of sorted) column.sort();
  return sorted;
}

/** The first place of `sorted` whose value is at least (or, with `beyond`, more than) `value`. */
function place(sorted, value, beyond) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (beyond ? sorted[middle] <= value : sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Distance of `q` to the share of the values that lie below and at `value`. */
export function rankError(sorted, value, q) {
  const below = place(sorted, value, false) / sorted.length;
  const until = place(sorted, value, true) / sorted.length;
  return Math.max(below - q, q - until, 0);
}

/** Relative distance of `value` to the two order statistics beside the quantile; 0 between them. */
export function valueError(sorted, value, q) {
  const rank = (sorted.length - 1) * q;
  const nearest = Math.min(Math.max(value, sorted[Math.floor(rank)]), sorted[Math.ceil(rank)]);
  return Math.abs(value - nearest) / Math.abs(nearest);
}

/** The greatest errors of the answers over all series: of counts, averages, ranks and values. */
export function errors(sorted, answers) {
  const worst = { count: 0, avg: 0, rank: 0, p99Rank: 0, value: 0 };
  for (const [series, values] of sorted.entries()) {
    if (values.length === 0) continue;
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    worst.count = Math.max(worst.count, Math.abs(answers.count[series] - values.length) / values.length);
    worst.avg = Math.max(worst.avg, Math.abs(answers.avg[series] - mean) / mean);
    for (const [word, q] of Object.entries(QUANTILES)) {
      // NaN is as far off as can be.
      const answer = answers[word][series];
      const rank = Number.isNaN(answer) ? 1 : rankError(values, answer, q);
      worst.rank = Math.max(worst.rank, rank);
      if (word === 'p99') worst.p99Rank = Math.max(worst.p99Rank, rank);
      worst.value = Math.max(worst.value, Number.isNaN(answer) ? Infinity : valueError(values, answer, q));
    }
  }
  return worst;
}
