// Many engines one after the other, each with its share of calls, given back or forgotten; prints what the process holds
// on the way.
import { Engine, init } from 'bellwether';

const ROUNDS = 10;
const ENGINES = 200;
const [end, calls] = [process.argv[2], Number(process.argv[3])];

await init();
const series = Array.from({ length: 20 }, (_, n) => ({ labels: { series: String(n) } }));
const held = [];
let answers = 0;
for (let round = 0; round < ROUNDS; round += 1) {
  for (let n = 0; n < ENGINES; n += 1) {
    const engine = new Engine();
    for (let call = 1; call <= calls; call += 1) {
      if (call % 100 > 0) engine.record('latency', call, series[call % 20]);
      else if (engine.query({ name: 'latency', window: '1m', agg: 'p95' }).result > 0) answers += 1;
    }
    if (end === 'free') engine.free();
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
console.log(JSON.stringify({ held, answers }));
