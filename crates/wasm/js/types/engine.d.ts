/// <reference lib="esnext.disposable" />
// The engine: what it keeps, what it takes, and what can be asked of it.
import type { ErrorCode } from '../error.js';
import type { Alert, Board, Evaluation, KpiFigure, Scorecard, Transition } from './board.js';
import type { Histogram, HistogramQuery, Line, RangeQuery } from './chart.js';
import type { Figure, Groups, Query } from './query.js';
import type { Table, TableQuery } from './table.js';
import type { Aggregation, Duration, Kind, Labels, TimestampMs } from './terms.js';

/** One level of what an engine keeps: time buckets of `width`, for as long as `span`. */
export interface Tier {
  /** Width of its time buckets, such as `"10s"`: within one, samples are no longer told apart by time. */
  width: Duration;
  /** How long it is kept, such as `"2h"`. */
  span: Duration;
}

/** What an engine keeps, accepts and goes by. */
export interface EngineOptions {
  /**
   * What is kept, finest first; each width is a multiple of the one before.
   * By default 1 s for 10 min, 10 s for 2 h and 1 h for 92 days.
   */
  tiers?: readonly Tier[] | undefined;
  /** The most series in all; 150,000 by default. Further ones are refused with `too_many_series`. */
  maxSeries?: number | undefined;
  /** The most series of one metric; 50,000 by default. Further ones are refused with `too_many_series`. */
  maxSeriesPerMetric?: number | undefined;
  /** How far ahead of the clock a sample may be; `"10m"` by default. Others are refused with `too_new`. */
  futureSkew?: Duration | undefined;
  /** The engine's clock, in milliseconds since 1970; `Date.now` by default. Give one to replay what is past, or in tests. */
  clock?: (() => TimestampMs) | undefined;
}

/** What a metric is, where it is said along with a sample. */
export interface Declaration {
  /** What its samples mean; another kind than the one known is refused with `kind_conflict`. */
  kind?: Kind | undefined;
  /** Unit of its values, such as `"ms"`; another one than the one known is refused with `unit_conflict`. None by default. */
  unit?: string | undefined;
}

/** What can be said of a sample besides its value. */
export interface RecordOptions extends Declaration {
  /** The labels of its series; none by default. */
  labels?: Labels | undefined;
  /** When the sample was taken, in milliseconds since 1970; the engine's clock by default. */
  timestamp?: TimestampMs | undefined;
}

/** One series: the name of its metric and its labels. */
export interface Series extends Declaration {
  /** The metric. */
  name: string;
  /** None by default. */
  labels?: Labels | undefined;
}

/** The number that an engine gives a series, for columns; it means nothing to another engine. */
export type SeriesHandle = number;

/** What became of columns of samples. */
export interface Receipt {
  /** How many samples were recorded. */
  accepted: number;
  /** How many were refused. */
  rejected: number;
  /** The first 100 refused ones: their place in the columns, a stable code and a sentence. */
  rejections: Rejection[];
}

/** A sample that was refused. */
export interface Rejection {
  /** Its place in the columns, from 0. */
  index: number;
  /** Why, for programs. */
  code: ErrorCode;
  /** Why, for people. */
  message: string;
}

/** One metric that an engine knows. */
export interface Metric {
  name: string;
  /** As it was declared first, or follows from its name. */
  kind: Kind;
  /** `null` where nobody has said it. */
  unit: string | null;
  /** Number of its series. */
  series: number;
}

/** What an engine holds. */
export interface Memory {
  /** Number of series. */
  series: number;
  /** Number of time buckets, of all tiers. */
  timeBuckets: number;
  /** Bytes that this engine's series and time buckets take. */
  bytes: number;
  /** Bytes of the WebAssembly memory that all engines of this page or process share; it never shrinks. */
  wasmBytes: number;
}

/**
 * Keeps samples in rolling windows and answers queries over them. The code is the very one of the
 * gateway and its page, so a figure is the same figure everywhere.
 */
export class Engine {
  /** @throws {BellwetherError} `not_initialized` before `await init()`; `bad_option`, `unknown_option`, `bad_tiers`. */
  constructor(options?: EngineOptions);

  /**
   * Records one sample.
   *
   * @throws {BellwetherError} `bad_name`, `bad_value`, `bad_labels`, `bad_timestamp`, `too_late`,
   *   `too_new`, `bad_kind`, `kind_conflict`, `bad_unit`, `unit_conflict`, `too_many_series`;
   *   nothing is recorded then.
   *
   * @example
   * engine.record('booking_response_time', 120, { labels: { route: '/book' }, unit: 'ms' });
   */
  record(name: string, value: number, options?: RecordOptions): void;

  /**
   * The handle of a series, made where it is new; the same series has the same handle.
   *
   * @throws {BellwetherError} `bad_name`, `bad_labels`, `bad_kind`, `kind_conflict`, `bad_unit`, `unit_conflict`,
   *   `too_many_series`.
   *
   * @example
   * const latencyOfA = engine.series('latency', { host: 'a' });
   */
  series(name: string, labels?: Labels, declaration?: Declaration): SeriesHandle;

  /**
   * Records columns of samples at once: of one series, or with one handle for each sample of many. This
   * is the fast way in: the columns are copied into the engine's memory once, and nothing is made for a sample.
   * Each good sample is recorded; the receipt says what became of the others. A fraction of a
   * millisecond counts as the millisecond that it ends in.
   *
   * @throws {BellwetherError} `bad_columns`, `bad_series` where a single handle is none of this engine's, and what
   *   {@link record} throws for names and labels; nothing is recorded then.
   *
   * @example
   * engine.recordColumns({ name: 'latency', labels: { host: 'a' } }, timestampsMs, values).accepted;
   *
   * const [a, b] = ['a', 'b'].map((host) => engine.series('latency', { host }));
   * engine.recordColumns(Uint32Array.of(a, b, a), timestampsMs, values);
   */
  recordColumns(
    series: string | Series | SeriesHandle | Uint32Array,
    timestampsMs: Float64Array,
    values: Float64Array,
  ): Receipt;

  /**
   * Answers a query over the window that ends at `now`.
   *
   * @throws {BellwetherError} `missing_option`, `bad_option`, `unknown_option`, `bad_aggregation`
   *   (also where it does not fit the metric's kind), `bad_pattern`, `bad_where`, `bad_across` (also where the
   *   `first` or `last` of several series is asked for without it), `bad_labels`, `bad_window` (also where it
   *   is longer than what is kept), `bad_at` (a `now` within a time bucket of the past that is no longer told
   *   apart).
   *
   * @example
   * engine.query({ name: 'latency', window: '5m', agg: 'p99' }).result;
   * engine.query({ name: 'latency', window: '5m', agg: 'avg', by: ['host'] }).groups;
   */
  query<const Name extends string>(query: Query & { by: readonly Name[] }): Groups<Name>;
  query(query: Query & { by?: undefined }): Figure;
  query(query: Query): Figure | Groups;

  /**
   * Merges a binary frame of a gateway's live feed, as `connect` of `bellwether/live` does; its points are increments, so each frame
   * counts as often as it is merged.
   *
   * @throws {BellwetherError} `bad_frame` where the bytes are no such frame; nothing of it is taken then.
   */
  mergeFrame(frame: Uint8Array): Receipt;

  /**
   * A table of several figures of each series or group of series, for what is shown again and again:
   * each refresh is one call, and each window is put together once for all its figures.
   *
   * @throws {BellwetherError} what {@link Engine.query} throws for the same fields; what depends on the metric's kind
   *   is thrown by {@link Table.answer}.
   *
   * @example
   * const routes = engine.table({ name: 'latency', window: '5m', aggs: ['count', 'p50', 'p99'], by: ['route'] });
   * const { rows, columns } = routes.answer();
   * rows.forEach(({ route }, row) => console.log(route, columns.p99[row]));
   */
  table<const Agg extends Aggregation>(query: TableQuery<Agg>): Table<Agg>;

  /**
   * The lines of a chart, at most `columns` wide: made from the engine's time buckets, however many samples there
   * were.
   *
   * @throws {BellwetherError} what {@link Engine.query} throws, and `bad_range` where `to` is not after `from`.
   *
   * @example
   * const { lines } = engine.queryRange({ name: 'latency', window: '1m', agg: 'p99', from: Date.now() - 3_600_000, columns: 600 });
   */
  queryRange<const Name extends string>(query: RangeQuery & { by: readonly Name[] }): { lines: Line<Name>[] };
  queryRange(query: RangeQuery): { lines: Line[] };

  /**
   * How the values of a window are spread, in one histogram for each group; with `columns` the columns of a heat map.
   *
   * @throws {BellwetherError} what {@link Engine.query} throws for the same fields.
   *
   * @example
   * const [{ lower, upper, counts }] = engine.histogram({ name: 'latency', window: '5m' }).groups;
   */
  histogram<const Name extends string>(query: HistogramQuery & { by: readonly Name[] }): { groups: Histogram<Name>[] };
  histogram(query: HistogramQuery): { groups: Histogram[] };

  /**
   * Takes up the metrics, KPIs and rules of a board, in the place of those before. Alerts of rules that are gone
   * end with the next evaluation.
   *
   * @throws {BellwetherError} `bad_board`, with all that is wrong and where; `kind_conflict`; the board before stays then.
   *
   * @example
   * engine.setBoard({
   *   rules: [{
   *     name: 'BookingSlow', query: { metric: 'booking_response_time', window: '5m', agg: 'avg' },
   *     is: '>', threshold: 300, for: '1m', severity: 'page',
   *   }],
   * });
   * engine.onAlert(({ alert, to }) => console.log(`${alert.rule} is ${to}: ${alert.value} ms`));
   * setInterval(() => engine.evaluate(), 1_000);
   */
  setBoard(board: Board): void;

  /**
   * The KPIs of the board, in its order.
   *
   * @throws {BellwetherError} what {@link Engine.query} throws for the figure of one of them.
   */
  kpis(now?: TimestampMs): KpiFigure[];

  /**
   * Evaluates the rules of the board and tells the listeners of {@link onAlert} what changed. It is for the caller to
   * do this, each second or so: an engine has no timer.
   *
   * @throws {BellwetherError} `bad_timestamp`.
   */
  evaluate(now?: TimestampMs): Evaluation;

  /** The alerts that are pending or firing, and those that were resolved in the last 15 minutes. */
  alerts(): Alert[];

  /**
   * Calls `listener` for each alert that {@link evaluate} finds changed, until what comes back is called. Its errors
   * are reported as uncaught ones.
   *
   * @throws {BellwetherError} `bad_option` where it is no function.
   */
  onAlert(listener: (transition: Transition) => void): () => void;

  /**
   * The scorecard of `resolution_time`, `satisfaction` and `conflict`.
   *
   * @throws {BellwetherError} `bad_aggregation` where one of them was declared as a kind that has no such figure.
   */
  scorecard(now?: TimestampMs): Scorecard;

  /**
   * Everything that is kept, as compact bytes for {@link Engine.restore}. Units of metrics and the board are not in it.
   */
  snapshot(): Uint8Array;

  /**
   * An engine that holds what another one held when its snapshot was taken.
   *
   * @throws {BellwetherError} `bad_snapshot` where the bytes are none or are damaged, `bad_tiers` where the engine had
   *   other tiers than the options say, and what the constructor throws.
   */
  static restore(bytes: Uint8Array, options?: EngineOptions): Engine;

  /** The metrics that the engine knows, sorted by name. */
  metrics(): Metric[];

  /** What the engine holds. */
  memory(): Memory;

  /**
   * Gives the engine's memory back at once; a second call does nothing, any other one throws `freed`.
   * Forgotten engines are freed by the garbage collector.
   */
  free(): void;

  /** The same as {@link free}, for `using`. */
  [Symbol.dispose](): void;
}
