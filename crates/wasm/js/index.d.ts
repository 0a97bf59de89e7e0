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

export { BellwetherError, type ErrorCode } from './error.js';
export { MonitoringModule, type Gateway } from './monitoring.js';
export type {
  Alert,
  AlertState,
  Board,
  BoardQuery,
  BoardRatio,
  Evaluation,
  Kpi,
  KpiFigure,
  Rule,
  Scorecard,
  Transition,
} from './types/board.js';
export type { Histogram, HistogramQuery, Line, RangeQuery } from './types/chart.js';
export {
  Engine,
  type Declaration,
  type EngineOptions,
  type Memory,
  type Metric,
  type Receipt,
  type RecordOptions,
  type Rejection,
  type Series,
  type SeriesHandle,
  type Tier,
} from './types/engine.js';
export { Points } from './types/points.js';
export type { Figure, Group, Groups, Query, Selection } from './types/query.js';
export { Sketch, Sketches, type SketchOptions } from './types/sketch.js';
export { Table, type TableAnswer, type TableQuery } from './types/table.js';
export type { Aggregation, Duration, Kind, LabelCondition, Labels, TimestampMs } from './types/terms.js';
