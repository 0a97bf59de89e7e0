import { BellwetherError, Engine, init } from 'bellwether';

// Between an error and the line that caused it lie the engine's own frames: ten are kept by default, and how many
// there are is the compiler's choice.
Error.stackTraceLimit = Infinity;

const early = (() => {
  try {
    new Engine();
  } catch (error) {
    return error;
  }
})();

await Promise.all([init(), init()]);
await init();

const engine = new Engine({ clock: () => 1_800_000_000_000 });
for (let value = 1; value <= 100; value += 1) engine.record('latency', value, { labels: { host: value % 2 ? 'a' : 'b' } });
const p95 = engine.query({ name: 'latency', window: '5m', agg: 'p95' });
const { groups } = engine.query({ name: 'latency', window: '5m', agg: 'sum', by: ['host'] });
const receipt = engine.recordColumns(
  { name: 'queue', kind: 'gauge' },
  Float64Array.of(1_799_999_999_000, 1_800_000_000_000),
  Float64Array.of(3, Number.NaN),
);
const refused = (() => {
  try {
    engine.record('latency', 1, { kind: 'counter' });
  } catch (error) {
    return error;
  }
})();
const memory = engine.memory();
engine.free();
engine.free();
const freed = (() => {
  try {
    engine.query({ name: 'latency', window: '5m', agg: 'avg' });
  } catch (error) {
    return error;
  }
})();
const disposed = new Engine();
disposed[Symbol.dispose]();
const again = (() => {
  try {
    disposed.record('m', 1);
  } catch (error) {
    return error;
  }
})();

console.log(
  JSON.stringify({
    early: { is: early instanceof BellwetherError && early instanceof Error, code: early.code },
    p95,
    groups: groups.map(({ labels, result }) => ({ labels, result })),
    receipt,
    refused: { is: refused instanceof BellwetherError, code: refused.code, name: refused.name, stack: refused.stack.includes('main.mjs') },
    series: memory.series,
    freed: [freed.code, again.code],
  }),
);
