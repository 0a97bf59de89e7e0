/// <reference lib="esnext.disposable" />
// Several figures of every series or group at once.
import type { Engine } from './engine.js';
import type { Selection } from './query.js';
import type { Aggregation, Labels, TimestampMs } from './terms.js';

/** What a {@link Table} shows. */
export interface TableQuery<Agg extends Aggregation = Aggregation> extends Selection {
  /** The figures of each row, at most 100. */
  aggs: readonly Agg[];
  /** Labels to group by: a row for each group. Without it each series has a row; `[]` makes one row of all. */
  by?: readonly string[] | undefined;
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
