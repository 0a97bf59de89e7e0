/**
 * Every error that Bellwether throws.
 *
 * @example
 * try {
 *   engine.record('latency', value);
 * } catch (error) {
 *   if (!(error instanceof BellwetherError) || error.code !== 'bad_value') throw error;
 * }
 */
export declare class BellwetherError extends Error {
  constructor(code: ErrorCode, message: string, options?: { cause?: unknown });
  readonly name: 'BellwetherError';
  /** What went wrong, for programs; the message is for people, and may change. */
  readonly code: ErrorCode;
}

/** The codes of {@link BellwetherError}; they never change their meaning. A gateway's own codes may come on top. */
export type ErrorCode =
  /** `await init()` comes first. */
  | 'not_initialized'
  /** The engine's WebAssembly is not where it was looked for, or the platform cannot run it. */
  | 'wasm_not_loaded'
  /** It was used after its `free()`. */
  | 'freed'
  /** An option, or an argument, of the wrong type or out of range. */
  | 'bad_option'
  /** An option that there is not; the message names those that there are. */
  | 'unknown_option'
  /** An option that is needed. */
  | 'missing_option'
  /** Tiers that do not fit together, or are not those of a snapshot. */
  | 'bad_tiers'
  /** The clock that was given throws, or gives no whole milliseconds. */
  | 'bad_clock'
  /** A name that no metric can have. */
  | 'bad_name'
  /** A value that is no finite number. */
  | 'bad_value'
  /** Labels, or a label's name, that no series can have. */
  | 'bad_labels'
  /** A timestamp that is no whole number of milliseconds from 1970 on. */
  | 'bad_timestamp'
  /** Columns that are no typed arrays of one length. */
  | 'bad_columns'
  /** A handle of a series that this engine has not given. */
  | 'bad_series'
  /** A sample older than all that is kept. */
  | 'too_late'
  /** A sample further ahead of the clock than `futureSkew`. */
  | 'too_new'
  /** A kind that there is not. */
  | 'bad_kind'
  /** Another kind than the metric has. */
  | 'kind_conflict'
  /** A unit that is no text. */
  | 'bad_unit'
  /** Another unit than the metric has. */
  | 'unit_conflict'
  /** One series more than `maxSeries` or `maxSeriesPerMetric`. */
  | 'too_many_series'
  /** An aggregation that there is not, or that the metric's kind does not have. */
  | 'bad_aggregation'
  /** A pattern that is no regular expression, or too long. */
  | 'bad_pattern'
  /** A condition on labels that is none. */
  | 'bad_where'
  /** A way to combine series that there is not, or none where one is needed. */
  | 'bad_across'
  /** An instant within a time bucket of the past that is no longer told apart. */
  | 'bad_at'
  /** A range that is empty. */
  | 'bad_range'
  /** A board with faults; the message names each and where. */
  | 'bad_board'
  /** Bytes that are no snapshot, or damaged. */
  | 'bad_snapshot'
  /** A quantile that is not between 0 and 1. */
  | 'bad_quantile'
  /** No other sketch was given. */
  | 'bad_sketch'
  /** A window that is empty, or longer than what is kept. */
  | 'bad_window'
  /** Bytes that are no frame of the live feed; or, from a gateway, a request that it cannot read. */
  | 'bad_frame'
  /** This platform has no `WebSocket`, and none was given. */
  | 'no_websocket'
  /** There is no connection to the gateway. */
  | 'unreachable'
  /** The gateway did not answer in time. */
  | 'timed_out'
  /** The gateway let nobody in, such as for a wrong token; or the platform does not open its address. */
  | 'refused'
  /** What answers is no Bellwether gateway, or one of another protocol. */
  | 'no_gateway'
  /** `prepare` of a live client threw; `cause` is what. */
  | 'prepare_failed'
  /** It was closed by its owner. */
  | 'closed'
  | (string & {});
