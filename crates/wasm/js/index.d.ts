/// <reference lib="esnext.disposable" />

import type { ErrorCode } from './error.js';

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

/** One level of what an engine keeps: time buckets of `width`, for as long as `span`. */
export interface Tier {
  width: Duration;
  span: Duration;
}

/** What an engine keeps, accepts and goes by. */
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

/** What can be said of a sample besides its value. */
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

/** A sample that was refused. */
export interface Rejection {
  /** Its place in the columns, from 0. */
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

/** A question: which samples, made into which figure, as of when. */
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

/** The figures of all groups, sorted by labels. */
export interface Groups<Name extends string = string> {
  groups: Group<Name>[];
}

/** What a chart asks for: its width in `columns`, or the `step` of its columns. */
export type RangeQuery = Selection & {
  agg: Aggregation;
  /** Labels to group by: a line for each group. */
  by?: readonly string[];
  /** The left edge, not included. */
  from: TimestampMs;
  /** The right edge, included; the engine's clock by default. */
  to?: TimestampMs;
} & ({ /** The most columns, such as the chart's width in pixels. */ columns: number } | { step: Duration });

/**
 * The line of one group of series, as columns from left to right; columns of the chart without a value are left
 * out. `first`, `min`, `max` and `last` of each draw the same line as all samples would; where the value is over the
 * query's window, or a count, a sum, an increase or a change, all four are the value.
 */
export interface Line<Name extends string = string> {
  labels: Partial<Labels<Name>>;
  /** The right edge of each column. */
  to: Float64Array;
  /**
   * The aggregation over the column; of a rate, a percentile, a deviation, or an average of observations or events
   * over the query's window before the right edge.
   */
  value: Float64Array;
  min: Float64Array;
  max: Float64Array;
  first: Float64Array;
  last: Float64Array;
  /** Number of samples that the value is made of. */
  count: Float64Array;
  /** 1 where the line goes on from the column before, 0 where it begins anew after a gap. */
  joined: Uint8Array;
}

/** What a histogram or a heat map asks for. */
export interface HistogramQuery extends Pick<Selection, 'name' | 'window' | 'where'> {
  /** Labels to group by: a histogram for each group. */
  by?: readonly string[];
  /** The instant that is asked for; the engine's clock by default. */
  now?: TimestampMs;
  /** Into how many columns the window is cut, for a heat map; 1 by default, at most 10,000. */
  columns?: number;
  /** The most value buckets; 100 by default. Where there are more, neighbours are joined; no count is lost. */
  rows?: number;
}

/** How the values of one group of series are spread. Counts are exact. */
export interface Histogram<Name extends string = string> {
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

/** A figure in a board, as `board.json` writes it. */
export type BoardQuery = {
  metric: string;
  window: Duration;
  agg: Aggregation;
  by?: readonly string[];
  where?: Selection['where'];
  across?: 'merge' | 'sum' | 'avg' | 'min' | 'max';
};

/** One figure of a board, and what it should be. */
export interface Kpi {
  /** Unique in its board: letters, digits, `-`, `_` and `.`, at most 64. */
  id: string;
  title: string;
  unit?: string;
  query: BoardQuery | { ratio: readonly [BoardQuery, BoardQuery] };
  better: 'lower' | 'higher';
  /** What the figure should be, in its unit; equality meets it. */
  target?: number;
  /** Who answers for it. */
  owner?: string;
  /** The part of the page that shows it. */
  section?: string;
}

/** A condition on a figure, and what an alert about it says. */
export interface Rule {
  /** Unique in its board; becomes the label `alertname`. */
  name: string;
  query: BoardQuery | { ratio: readonly [BoardQuery, BoardQuery] };
  is: '>' | '>=' | '<' | '<=' | 'above' | 'at_least' | 'below' | 'at_most';
  /** In the unit of the figure. */
  threshold: number;
  /** How long the condition must hold before the alert fires; at once by default. */
  for?: Duration;
  /** How long the alert goes on firing after the condition has ended. */
  keep_firing_for?: Duration;
  /** How far back from now the rule looks, for metrics that arrive late. */
  query_offset?: Duration;
  /** What a missing figure means; by default the state is kept and marked stale. */
  no_data?: 'keep' | 'resolve' | 'fire';
  /** Who must act: somebody now, somebody in working hours, nobody. */
  severity: 'page' | 'ticket' | 'info';
  /** Labels added to each alert. */
  labels?: Labels;
  /** One sentence for people, true while the alert is still pending too. */
  summary?: string;
  /** Where to read what to do. */
  runbook?: string;
}

/** What an engine watches: the same file as the page's and the gateway's `board.json`; what is only shown is left aside. */
export interface Board {
  metrics?: readonly { name: string; kind: Kind; unit?: string; help?: string }[];
  kpis?: readonly Kpi[];
  rules?: readonly Rule[];
  title?: string;
  panels?: readonly object[];
  $schema?: string;
}

/** What a KPI shows. */
export interface KpiFigure extends Figure {
  id: string;
  title: string;
  unit: string;
  /** Where it stands against its target; equality meets it. */
  standing: 'met' | 'not_met' | 'no_target' | 'no_figure';
  target: number | null;
  /** The figure of the window before; `null` where that holds none or is no longer kept whole. */
  previous: number | null;
  /** The change from it, in the unit of the figure; `null` for shares, whose change is `points`. */
  change: number | null;
  percent: number | null;
  /** The change of a share, in percentage points. */
  points: number | null;
}

/** Where an alert stands. */
export type AlertState = 'inactive' | 'pending' | 'firing' | 'resolved';

/** One alert: a rule and one group of its figure. */
export interface Alert {
  rule: string;
  /** Those of the group, those of the rule, and `alertname`. */
  labels: Labels;
  severity: Rule['severity'];
  state: AlertState;
  /** The last figure seen, once resolved the one that ended it; `null` where missing data made it fire or end. */
  value: number | null;
  /** Whether the last evaluation had no figure for it. */
  stale: boolean;
  /** When the condition began to hold. */
  activeAt: TimestampMs | null;
  firedAt: TimestampMs | null;
  resolvedAt: TimestampMs | null;
}

/** An alert that changed its state. */
export interface Transition {
  /** The alert after the change. */
  alert: Alert;
  from: AlertState;
  /** `inactive` where the alert is forgotten. */
  to: AlertState;
}

/** What an evaluation of the rules came to. */
export interface Evaluation {
  /** The alerts that changed. */
  transitions: Transition[];
  /** Why rules could not be evaluated; their alerts keep their states. */
  failures: string[];
}

/** The three figures of the grants office, over everything that is kept; 0 where there is nothing yet. */
export interface Scorecard {
  avg_resolution_time: number;
  avg_satisfaction: number;
  total_conflicts: number;
}

/** One metric that an engine knows. */
export interface Metric {
  name: string;
  kind: Kind;
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

/** How fine a sketch is. */
export interface SketchOptions {
  /**
   * How fine it is, from −4 to 8; 6 by default, whose quantiles are off by at most 0.55 %. Each step more halves that
   * and doubles the memory.
   */
  scale?: number;
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
  free(): void;
  [Symbol.dispose](): void;
}

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
  free(): void;
  [Symbol.dispose](): void;
}

export { BellwetherError, type ErrorCode } from './error.js';
export { MonitoringModule, type Gateway } from './monitoring.js';
