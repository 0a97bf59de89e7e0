// Compiled, never run: what must and what must not type-check for a user of the package.
import { BellwetherError, Engine, init, type Figure, type Groups, type Query } from 'bellwether';

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

try {
  engine.record('latency', 1);
} catch (error) {
  if (error instanceof BellwetherError && error.code === 'too_late') throw error;
}

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

export { accepted, either, never, reused, route, slowest, value };
