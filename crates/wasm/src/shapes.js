// The plain objects that answers are made of: each is made in one call, with the same fields in the same order.

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
  return { accepted, rejected, rejections: rejections ?? [] };
}

export function rejection(index, code, message) {
  return { index, code, message };
}

/** Cuts one array of figures, column by column, into an object of columns. */
export function columns(rows, words, values, relativeError) {
  const length = rows.length;
  const columns = {};
  for (const [place, word] of words.entries()) columns[word] = values.subarray(place * length, (place + 1) * length);
  return { rows, columns, relativeError };
}

/** Cuts one array, field by field, into a line. */
export function line(labels, fields, joined) {
  const length = joined.length;
  const field = (place) => fields.subarray(place * length, (place + 1) * length);
  const [to, value, min, max, first, last, count] = [0, 1, 2, 3, 4, 5, 6].map(field);
  return { labels, to, value, min, max, first, last, count, joined };
}

export function lines(lines) {
  return { lines };
}

export function histogram(labels, lower, upper, to, counts, relativeError) {
  return { labels, lower, upper, to, counts, relativeError };
}

export function metric(name, kind, unit, series) {
  return { name, kind, unit: unit ?? null, series };
}

export function memory(series, timeBuckets, bytes, wasmBytes) {
  return { series, timeBuckets, bytes, wasmBytes };
}

export function alert(rule, labels, severity, value, stale) {
  return { rule, labels, severity, state: 'inactive', value: value ?? null, stale };
}

export function state(alert, state, activeAt, firedAt, resolvedAt) {
  return Object.assign(alert, { state, activeAt: activeAt ?? null, firedAt: firedAt ?? null, resolvedAt: resolvedAt ?? null });
}

export function transition(alert, from, to) {
  return { alert, from, to };
}

export function evaluation(transitions, failures) {
  return { transitions, failures };
}

export function kpi(id, title, unit, standing, target) {
  return { id, title, unit, standing, target: target ?? null };
}

export function trend(previous, change, percent, points) {
  return { previous: previous ?? null, change: change ?? null, percent: percent ?? null, points: points ?? null };
}

export function joined(one, other, third) {
  return { ...one, ...other, ...third };
}

export function scorecard(resolution, satisfaction, conflicts) {
  return { avg_resolution_time: resolution, avg_satisfaction: satisfaction, total_conflicts: conflicts };
}
