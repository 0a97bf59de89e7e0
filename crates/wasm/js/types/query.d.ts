// What an engine is asked for one figure, or one of each group, and what it answers.
import type { Aggregation, Duration, LabelCondition, Labels, TimestampMs } from './terms.js';

/** Over which samples a figure is made. */
export interface Selection {
  /** The metric. */
  name: string;
  /** Length of the window, such as `"5m"`: `(now − window, now]`. */
  window: Duration;
  /** Which series count; all by default. `{ route: '/book' }`, `{ host: { matches: 'web-.*' } }` or `['route:/book']`. */
  where?: { readonly [label: string]: LabelCondition } | readonly string[] | undefined;
  /**
   * How several series become one figure. `merge`, the default, is over all their samples together;
   * the others combine each series' own figure ("memory of three hosts together" is a `sum` of `last`s).
   */
  across?: 'merge' | 'sum' | 'avg' | 'min' | 'max' | undefined;
}

/** A question: which samples, made into which figure, as of when. */
export interface Query extends Selection {
  /** What becomes of the window's samples. */
  agg: Aggregation;
  /** Labels to group by; the answer is then a list of groups. Without it, it is one figure. */
  by?: readonly string[] | undefined;
  /** The instant that the window ends at; the engine's clock by default. */
  now?: TimestampMs | undefined;
}

/** A figure and what stands behind it. */
export interface Figure {
  /** The figure; `null`, never 0, where the window holds nothing that could give one. */
  result: number | null;
  /** Number of samples in the window. */
  count: number;
  /** Left edge of the range that was really covered, not included. */
  from: TimestampMs;
  /** Right edge of the range that was really covered, included. */
  to: TimestampMs;
  /**
   * Bound of the relative error of `result`; 0 where it is exact, `Infinity` where percentiles of both signs
   * cancel in a sum or an average.
   */
  relativeError: number;
}

/** The figure of one group of series. */
export interface Group<Name extends string = string> extends Figure {
  /** Those of the labels asked for that the group has. */
  labels: Partial<Labels<Name>>;
}

/** The figures of all groups, sorted by labels. */
export interface Groups<Name extends string = string> {
  groups: Group<Name>[];
}
