// Many engines one after the other, given back or forgotten; prints what the process holds on the way.
import { Engine, init } from 'bellwether';

const ROUNDS = 10;
const ENGINES = 200;

await init();
const held = [];
for (let round = 0; round < ROUNDS; round += 1) {
  for (let n = 0; n < ENGINES; n += 1) {
    const engine = new Engine();
    for (let series = 0; series < 20; series += 1) engine.record('latency', series, { labels: { series: String(series) } });
    engine.query({ name: 'latency', window: '1m', agg: 'p95' });
    if (process.argv[2] === 'free') engine.free();
  }
  gc();
  // The collector of garbage gives forgotten engines back afterwards.
  await new Promise((resolve) => setImmediate(resolve));
  gc();
  await new Promise((resolve) => setImmediate(resolve));
  const probe = new Engine();
  held.push({ heap: process.memoryUsage().heapUsed, wasm: probe.memory().wasmBytes });
  probe.free();
}
console.log(JSON.stringify({ held }));
