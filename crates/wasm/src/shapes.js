// The objects of the answers that are asked for often: each is made in one call, with the same fields in the same order.

export function figure(result, count, from, to, relativeError) {
  return { result: result ?? null, count, from, to, relativeError };
}

export function group(labels, figure) {
  return { labels, ...figure };
}

export function groups(groups) {
  return { groups };
}

export function labels(pairs) {
  return Object.fromEntries(pairs);
}

export function receipt(accepted, rejected, rejections) {
  return { accepted, rejected, rejections };
}

/** Cuts one array of figures, column by column, into an object of columns. */
export function columns(rows, words, values, relativeError) {
  const length = rows.length;
  const columns = {};
  for (const [place, word] of words.entries()) columns[word] = values.subarray(place * length, (place + 1) * length);
  return { rows, columns, relativeError };
}
