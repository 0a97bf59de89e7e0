// Compiled, never run: what must and what must not type-check for a user of the package.
import { BellwetherError, Engine, Points, Sketch, Sketches, init, type Alert, type Board, type Figure, type Groups, type Query } from 'bellwether';

await init();
await init('/assets/bellwether_bg.wasm');
await init(new Uint8Array(8));

using engine = new Engine({ futureSkew: '1m', tiers: [{ width: 1_000, span: '10m' }], clock: () => Date.now() });
engine.record('latency', 120);
engine.record('latency', 120, { labels: { route: '/book' }, timestamp: Date.now(), kind: 'observation', unit: 'ms' });
const accepted: number = engine.recordColumns('latency', new Float64Array(2), new Float64Array(2)).accepted;

const handle: number = engine.series('latency', { host: 'a' }, { kind: 'observation', unit: 'ms' });
engine.recordColumns(Uint32Array.of(handle), new Float64Array(1), new Float64Array(1));
using table = engine.table({ name: 'latency', window: '5m', aggs: ['count', 'p99'], by: ['host'] });
const { rows, columns } = table.answer(Date.now());
const slowest: [string | undefined, number | undefined] = [rows[0]?.host, columns.p99[0]];

const one: Figure = engine.query({ name: 'latency', window: '5m', agg: 'p99.9' });
const value: number | null = one.result;
const many: Groups<'route'> = engine.query({ name: 'latency', window: 300_000, agg: 'avg', by: ['route'] });
const route: string | undefined = many.groups[0]?.labels.route;
const reused: Query = { name: 'latency', window: '5m', agg: 'avg', where: { route: { matches: '/b.*' } }, across: 'sum' };
const either: Figure | Groups = engine.query(reused);

const [line] = engine.queryRange({ name: 'latency', window: '1m', agg: 'p99', by: ['route'], from: 0, columns: 600 }).lines;
const drawn: [string | undefined, Float64Array] | undefined = line && [line.labels.route, line.value];
engine.queryRange({ name: 'latency', window: '1m', agg: 'max', from: 0, to: 1, step: '10s' });
const heat: Float64Array | undefined = engine.histogram({ name: 'latency', window: '5m', columns: 60 }).groups[0]?.counts;
const board: Board = {
  kpis: [{ id: 'k', title: 'K', query: { metric: 'latency', window: '5m', agg: 'p95' }, better: 'lower', target: 300 }],
  rules: [{ name: 'Slow', query: { metric: 'latency', window: '5m', agg: 'avg' }, is: '>', threshold: 300, severity: 'page' }],
};
engine.setBoard(board);
const stop: () => void = engine.onAlert(({ alert, to }) => void [alert.rule, to]);
stop();
const failures: string[] = engine.evaluate().failures;
const alerts: Alert[] = engine.alerts();
const standing: 'met' | 'not_met' | 'no_target' | 'no_figure' | undefined = engine.kpis()[0]?.standing;
const conflicts: number = engine.scorecard().total_conflicts;
using restored = Engine.restore(engine.snapshot(), { maxSeries: 10 });
using sketch = new Sketch({ scale: 7 });
sketch.merge(new Sketches(2).at(0));
const median: number | null = sketch.quantile(0.5);
using points = new Points();
const indexes: Uint32Array = points.m4(800);

try {
  engine.record('latency', 1);
} catch (error) {
  if (error instanceof BellwetherError && error.code === 'too_late') throw error;
}

// @ts-expect-error a chart has columns or a step
engine.queryRange({ name: 'latency', window: '1m', agg: 'max', from: 0 });
// @ts-expect-error a rule has a severity
engine.setBoard({ rules: [{ name: 'R', query: { metric: 'm', window: '5m', agg: 'avg' }, is: '>', threshold: 1 }] });
// @ts-expect-error a value is a number
engine.record('latency', '120');
// @ts-expect-error an aggregation is one of the words
engine.query({ name: 'latency', window: '5m', agg: 'mean' });
// @ts-expect-error a window is needed
engine.query({ name: 'latency', agg: 'avg' });
// @ts-expect-error the group has only the labels asked for
many.groups[0]?.labels.host;
// @ts-expect-error without `by` there are no groups
engine.query({ name: 'latency', window: '5m', agg: 'avg' }).groups;
// @ts-expect-error the table has only the figures asked for
columns.p50;
// @ts-expect-error there is no such option
new Engine({ futureSkw: '1m' });
// @ts-expect-error an empty window has no value
const never: number = one.result;

export { accepted, alerts, conflicts, drawn, either, failures, heat, indexes, median, restored, standing, never, reused, route, slowest, value };
