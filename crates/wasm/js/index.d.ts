/// <reference lib="esnext.disposable" />

/**
 * Loads the engine's WebAssembly. Call it once before `new Engine()`; further calls cost nothing.
 * It is the same in Node, in a page and in a worker.
 *
 * @param source Where the WebAssembly is, for those who host it themselves: its address, a response,
 *   its bytes, or a module that is compiled already. By default it is found beside the script.
 * @throws {BellwetherError} `wasm_not_loaded`; `cause` says why. A further call tries again.
 *
 * @example
 * import { init, Engine } from 'bellwether';
 *
 * await init();
 * const engine = new Engine();
 * engine.record('booking_response_time', 120);
 * engine.query({ name: 'booking_response_time', window: '5m', agg: 'p95' }).result; // 120
 */
export function init(source?: WasmSource): Promise<void>;

/** Where the engine's WebAssembly can come from: an address, a response, its bytes, or a compiled module. */
export type WasmSource =
  | string
  | ArrayBuffer
  | ArrayBufferView
  | Instance<'URL'>
  | Instance<'Response'>
  | (typeof globalThis extends { WebAssembly: { Module: { prototype: infer Module } } } ? Module : never);

/** What `new Name()` gives where the platform's types know it: not every project has the types of the DOM. */
type Instance<Name extends string> = typeof globalThis extends { [name in Name]: { prototype: infer Type } } ? Type : never;

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
 * - `event`: each sample adds its value, such as 1 for an error.
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

/** One level of what an engine keeps: time buckets of `width`, for as long as `span`. */
export interface Tier {
  width: Duration;
  span: Duration;
}

export interface EngineOptions {
  /**
   * What is kept, finest first; each width is a multiple of the one before.
   * By default 1 s for 10 min, 10 s for 2 h and 1 h for 92 days.
   */
  tiers?: readonly Tier[];
  /** The most series in all; 150,000 by default. Further ones are refused with `too_many_series`. */
  maxSeries?: number;
  /** The most series of one metric; 50,000 by default. */
  maxSeriesPerMetric?: number;
  /** How far ahead of the clock a sample may be; 10 min by default. */
  futureSkew?: Duration;
  /** The engine's clock; `Date.now` by default. Give one to replay what is past, or in tests. */
  clock?: () => TimestampMs;
}

/** What a metric is, where it is said along with a sample. */
export interface Declaration {
  /** What its samples mean; another kind than the one known is refused with `kind_conflict`. */
  kind?: Kind;
  /** Unit of its values, such as `"ms"`; another one than the one known is refused with `unit_conflict`. */
  unit?: string;
}

export interface RecordOptions extends Declaration {
  labels?: Labels;
  /** When the sample was taken; the engine's clock by default. */
  timestamp?: TimestampMs;
}

/** One series: the name of its metric and its labels. */
export interface Series extends Declaration {
  name: string;
  labels?: Labels;
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

export interface Rejection {
  index: number;
  code: ErrorCode;
  message: string;
}

/** A condition on the value of one label; patterns match the whole value. */
export type LabelCondition =
  | string
  | { readonly not?: string; readonly matches?: string; readonly matches_not?: string };

/** Over which samples a figure is made. */
export interface Selection {
  /** The metric. */
  name: string;
  /** Length of the window: `(now − window, now]`. */
  window: Duration;
  /** Which series count: `{ route: '/book' }`, `{ host: { matches: 'web-.*' } }` or `['route:/book']`. */
  where?: { readonly [label: string]: LabelCondition } | readonly string[];
  /**
   * How several series become one figure. `merge`, the default, is over all their samples together;
   * the others combine each series' own figure ("memory of three hosts together" is a `sum` of `last`s).
   */
  across?: 'merge' | 'sum' | 'avg' | 'min' | 'max';
}

export interface Query extends Selection {
  agg: Aggregation;
  /** Labels to group by; the answer is then a list of groups. */
  by?: readonly string[] | undefined;
  /** The instant that is asked for; the engine's clock by default. */
  now?: TimestampMs;
}

/** What a {@link Table} shows. */
export interface TableQuery<Agg extends Aggregation = Aggregation> extends Selection {
  /** The figures of each row, at most 100. */
  aggs: readonly Agg[];
  /** Labels to group by: a row for each group. Without it each series has a row; `[]` makes one row of all. */
  by?: readonly string[];
}

/** The figures of a {@link Table} at one instant. */
export interface TableAnswer<Agg extends Aggregation = Aggregation> {
  /**
   * The labels of each row. Rows stand in the order in which they appeared and keep their place; the array
   * is the same one as before unless there are new rows.
   */
  rows: readonly Labels[];
  /** By aggregation, the figure of each row; `NaN` where the window holds nothing that could give one. */
  columns: { readonly [agg in Agg]: Float64Array };
  /** Bound of the relative error of any of the figures; 0 where all are exact. */
  relativeError: number;
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

export interface Groups<Name extends string = string> {
  groups: Group<Name>[];
}

/** One metric that an engine knows. */
export interface Metric {
  name: string;
  kind: Kind;
  unit: string | null;
  /** Number of its series. */
  series: number;
}

export interface Memory {
  series: number;
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

/** Several figures of each series or group of series of one engine; see {@link Engine.table}. */
export class Table<Agg extends Aggregation = Aggregation> {
  private constructor();

  /**
   * The figures over the window that ends at `now`, by default that of the engine's clock.
   *
   * @throws {BellwetherError} what {@link Engine.query} throws; `freed` where the engine was freed.
   */
  answer(now?: TimestampMs): TableAnswer<Agg>;

  /** Gives the table's memory back at once. A forgotten table is freed by the garbage collector. */
  free(): void;

  /** The same as {@link free}, for `using`. */
  [Symbol.dispose](): void;
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
  | 'bad_window'
  | 'bad_answer'
  | (string & {});

export { BellwetherError } from './error.js';
export { MonitoringModule, type Gateway } from './monitoring.js';
