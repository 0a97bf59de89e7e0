// What charts ask for: lines over time, and how values are spread.
import type { Selection } from './query.js';
import type { Aggregation, Duration, Labels, TimestampMs } from './terms.js';

/** What a chart asks for: its width in `columns`, or the `step` of its columns. */
export type RangeQuery = Selection & {
  /** What becomes of the samples of a column, or of the window before it. */
  agg: Aggregation;
  /** Labels to group by: a line for each group. One line of all by default. */
  by?: readonly string[] | undefined;
  /** The left edge, not included. */
  from: TimestampMs;
  /** The right edge, included; the engine's clock by default. */
  to?: TimestampMs | undefined;
} & (
    | {
        /** The most columns, such as the chart's width in pixels. */
        columns: number;
      }
    | {
        /** The width of each column, such as `"10s"`. */
        step: Duration;
      }
  );

/**
 * The line of one group of series, as columns from left to right; columns of the chart without a value are left
 * out. `first`, `min`, `max` and `last` of each draw the same line as all samples would; where the value is over the
 * query's window, or a count, a sum, an increase or a change, all four are the value.
 */
export interface Line<Name extends string = string> {
  /** Those of the labels asked for that the group has. */
  labels: Partial<Labels<Name>>;
  /** The right edge of each column. */
  to: Float64Array;
  /**
   * The aggregation over the column; of a rate, a percentile, a deviation, or an average of observations or events
   * over the query's window before the right edge.
   */
  value: Float64Array;
  /** The least value of each column. */
  min: Float64Array;
  /** The greatest value of each column. */
  max: Float64Array;
  /** The first value of each column. */
  first: Float64Array;
  /** The last value of each column. */
  last: Float64Array;
  /** Number of samples that the value is made of. */
  count: Float64Array;
  /** 1 where the line goes on from the column before, 0 where it begins anew after a gap. */
  joined: Uint8Array;
}

/** What a histogram or a heat map asks for. */
export interface HistogramQuery extends Pick<Selection, 'name' | 'window' | 'where'> {
  /** Labels to group by: a histogram for each group. One of all by default. */
  by?: readonly string[] | undefined;
  /** The instant that the window ends at; the engine's clock by default. */
  now?: TimestampMs | undefined;
  /** Into how many columns the window is cut, for a heat map; 1 by default, at most 10,000. */
  columns?: number | undefined;
  /** The most value buckets; 100 by default. Where there are more, neighbours are joined; no count is lost. */
  rows?: number | undefined;
}

/** How the values of one group of series are spread. Counts are exact. */
export interface Histogram<Name extends string = string> {
  /** Those of the labels asked for that the group has. */
  labels: Partial<Labels<Name>>;
  /** Lower bound of each value bucket, ascending. */
  lower: Float64Array;
  /** Upper bound of each value bucket. */
  upper: Float64Array;
  /** Right edge of each column; there may be fewer columns than asked for. */
  to: Float64Array;
  /** Number of samples of each value bucket, column after column. */
  counts: Float64Array;
  /** How far a sample may lie from the middle of its value bucket, as a share of its value. */
  relativeError: number;
}
