// The words that all of the types share.

/** A length of time: text such as `"30s"`, `"5m"`, `"1h30m"`, `"90d"`, or a whole number of milliseconds. */
export type Duration = string | number;

/** Milliseconds since 1970, UTC, as `Date.now()` gives them. */
export type TimestampMs = number;

/**
 * What the samples of a metric mean. It belongs to the metric's name: the first one declared stays.
 *
 * - `observation`: each sample is one event's measured value, such as a response time. The default.
 * - `counter`: cumulative, and may start again from zero. The default of names that end in `_total`,
 *   `_count`, `_sum` or `_bucket`.
 * - `gauge`: a state that is sampled, such as memory in use.
 * - `event`: each sample adds its value, such as 1 for an error. The default of the name `conflict`.
 */
export type Kind = 'observation' | 'counter' | 'gauge' | 'event';

/**
 * How the samples of a window become one figure. `p95` is the value that 95 % of the samples do not
 * exceed; any quantile can be written, such as `p99.9`. `rate` is per second. `delta` is the change
 * against the window before.
 */
export type Aggregation =
  | 'avg'
  | 'sum'
  | 'count'
  | 'min'
  | 'max'
  | 'first'
  | 'last'
  | 'stddev'
  | 'rate'
  | 'increase'
  | 'delta'
  | `p${number}`;

/** Labels of a series, such as `{ route: '/book' }`. Their order does not matter. */
export type Labels<Name extends string = string> = { readonly [name in Name]: string };

/** A condition on the value of one label; patterns match the whole value. */
export type LabelCondition =
  | string
  | { readonly not?: string; readonly matches?: string; readonly matches_not?: string };
