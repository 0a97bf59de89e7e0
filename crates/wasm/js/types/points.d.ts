/// <reference lib="esnext.disposable" />
// The points of a line, and the few of them that draw it.

/**
 * The points of a line, such as a chart's raw samples, and the few of them that draw it. Timestamps ascend, and may
 * repeat and have fractions.
 *
 * @example
 * const points = new Points();
 * points.extend(timestamps, values);
 * const drawn = points.m4(800); // indexes of at most 3,200 points that draw the same line on 800 pixels
 */
export class Points {
  /** @throws {BellwetherError} `not_initialized`. */
  constructor();
  /** Number of points. */
  readonly length: number;
  /**
   * Adds points behind those that are there.
   * @throws {BellwetherError} `bad_columns`, `bad_value`, `bad_timestamp` where one lies before the one before it; none
   *   is added then.
   */
  extend(timestamps: Float64Array, values: Float64Array): void;
  /**
   * Drops the points whose timestamp is at most `timestamp`; the indexes of the others begin at 0 again.
   * @throws {BellwetherError} `bad_timestamp`.
   */
  dropUntil(timestamp: number): void;
  /**
   * The indexes of the first, least, greatest and last point of each of `columns` columns of equal width over the range,
   * which is that of all points by default; ascending, each once. They draw the same line as all points.
   * @throws {BellwetherError} `bad_option`, `bad_timestamp`.
   */
  m4(columns: number, from?: number, to?: number): Uint32Array;
  /**
   * The indexes of at most `count` points that look most like the line.
   * @throws {BellwetherError} `bad_option`, `bad_timestamp`.
   */
  minMaxLttb(count: number, from?: number, to?: number): Uint32Array;
  /** A copy of the timestamps of all points. */
  timestamps(): Float64Array;
  /** A copy of the values of all points. */
  values(): Float64Array;
  /** Gives their memory back at once; forgotten ones are freed by the garbage collector. */
  free(): void;
  /** The same as {@link free}, for `using`. */
  [Symbol.dispose](): void;
}
