/** Every error that Bellwether throws. */
export declare class BellwetherError extends Error {
  constructor(code: ErrorCode, message: string, options?: { cause?: unknown });
  readonly name: 'BellwetherError';
  /** What went wrong, for programs; the message is for people. */
  readonly code: ErrorCode;
}

/** The codes of {@link BellwetherError}; they never change their meaning. */
export type ErrorCode =
  | 'not_initialized'
  | 'wasm_not_loaded'
  | 'freed'
  | 'bad_option'
  | 'unknown_option'
  | 'missing_option'
  | 'bad_tiers'
  | 'bad_clock'
  | 'bad_name'
  | 'bad_value'
  | 'bad_labels'
  | 'bad_timestamp'
  | 'bad_columns'
  | 'bad_series'
  | 'too_late'
  | 'too_new'
  | 'bad_kind'
  | 'kind_conflict'
  | 'bad_unit'
  | 'unit_conflict'
  | 'too_many_series'
  | 'bad_aggregation'
  | 'bad_pattern'
  | 'bad_where'
  | 'bad_across'
  | 'bad_at'
  | 'bad_range'
  | 'bad_board'
  | 'bad_snapshot'
  | 'bad_quantile'
  | 'bad_sketch'
  | 'bad_window'
  | 'bad_frame'
  | 'no_websocket'
  | 'unreachable'
  | 'timed_out'
  | 'refused'
  | 'no_gateway'
  | 'closed'
  | (string & {});
