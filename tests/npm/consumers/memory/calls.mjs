// Ten rounds of calls of one engine while its clock moves on by 1,000 s, eight times what it keeps; prints what the
// process holds, round by round.
import { Engine, init } from 'bellwether';

const ROUNDS = 10;
const CALLS = Number(process.argv[2]);

await init();
let now = 1_800_000_000_000;
const engine = new Engine({ clock: () => now, tiers: [{ width: '1s', span: '20s' }, { width: '10s', span: '2m' }] });
const routes = Array.from({ length: 4 }, (_, n) => ({ labels: { route: `/${n}` } }));
// 1,000 s in all, however many calls.
const step = (1_000_000 / ROUNDS / CALLS) * 100;
const held = [];
let answers = 0;
for (let round = 0; round < ROUNDS; round += 1) {
  for (let call = 0; call < CALLS; call += 1) {
    if (call % 100 === 0) {
      now += step;
      const query = { name: 'latency', window: '10s', agg: call % 200 ? 'p95' : 'avg', by: call % 1_000 ? undefined : ['route'] };
      const answer = engine.query(query);
      if (answer.result !== null || answer.groups) answers += 1;
    } else engine.record('latency', 1 + (call % 997), routes[call % 4]);
  }
  gc();
  held.push({ heap: process.memoryUsage().heapUsed, wasm: engine.memory().wasmBytes, engine: engine.memory().bytes });
}
console.log(JSON.stringify({ held, answers }));
