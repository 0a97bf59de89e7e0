/// <reference lib="esnext.disposable" />
// Sketches: how many values are spread, in little memory.

/** How fine a sketch is. */
export interface SketchOptions {
  /**
   * How fine it is, from −4 to 8; 6 by default, whose quantiles are off by at most 0.55 %. Each step more halves that
   * and doubles the memory.
   */
  scale?: number | undefined;
}

/**
 * How the values of many samples are spread: any percentile within a published error, in little memory, and merged
 * without loss. The mapping is that of OpenTelemetry's exponential and Prometheus' native histograms.
 *
 * @example
 * const sketch = new Sketch();
 * for (const ms of [12, 15, 340]) sketch.record(ms);
 * sketch.quantile(0.5); // 15, off by at most 0.55 %
 */
export class Sketch {
  /** @throws {BellwetherError} `not_initialized`, `bad_option`, `unknown_option`. */
  constructor(options?: SketchOptions);
  /** @throws {BellwetherError} `bad_value` where it is no finite number. */
  record(value: number): void;
  /** @throws {BellwetherError} `bad_columns`; `bad_value`, and none is recorded, where one of them is not finite. */
  recordAll(values: Float64Array): void;
  /**
   * Adds what another one holds; of two scales the coarser is kept.
   * @throws {BellwetherError} `bad_sketch` where it is none, or this one itself.
   */
  merge(other: Sketch): void;
  /**
   * The value at `q`; `null` where nothing was recorded.
   * @throws {BellwetherError} `bad_quantile` where `q` is not between 0 and 1.
   */
  quantile(q: number): number | null;
  /** Number of values. */
  readonly count: number;
  /** Sum of the values; 0 where there is none. */
  readonly sum: number;
  /** Mean of the values; `null` where there is none. */
  readonly mean: number | null;
  /** Least value; `null` where there is none. */
  readonly min: number | null;
  /** Greatest value; `null` where there is none. */
  readonly max: number | null;
  /** Bound of the relative error of {@link quantile}. */
  readonly relativeError: number;
  /** Gives its memory back at once; a forgotten one is freed by the garbage collector. */
  free(): void;
  /** The same as {@link free}, for `using`. */
  [Symbol.dispose](): void;
}

/**
 * Many sketches of one kind, such as one for each route, filled by columns in one call.
 *
 * @example
 * const routes = new Sketches(2);
 * routes.recordColumns(Uint32Array.of(0, 1, 0), Float64Array.of(12, 340, 15));
 * routes.quantiles(0.99)[1]; // that of the second route
 */
export class Sketches {
  /** @throws {BellwetherError} `not_initialized`, `bad_option`, `unknown_option`. */
  constructor(length: number, options?: SketchOptions);
  /**
   * Adds each value to the sketch at its place.
   * @throws {BellwetherError} `bad_columns`, `bad_value`; none is added then.
   */
  recordColumns(places: Uint32Array, values: Float64Array): void;
  /**
   * The value at `q` of each sketch; `NaN` where nothing was recorded.
   * @throws {BellwetherError} `bad_quantile` where `q` is not between 0 and 1.
   */
  quantiles(q: number): Float64Array;
  /** Number of values of each sketch. */
  counts(): Float64Array;
  /** Sum of the values of each sketch. */
  sums(): Float64Array;
  /**
   * A copy of one of the sketches.
   * @throws {BellwetherError} `bad_option` where there is none at that place.
   */
  at(place: number): Sketch;
  /** Gives their memory back at once; forgotten ones are freed by the garbage collector. */
  free(): void;
  /** The same as {@link free}, for `using`. */
  [Symbol.dispose](): void;
}
