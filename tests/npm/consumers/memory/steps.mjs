// Prints the sizes that the wasm memory has while series fill it.
import { Engine, init } from 'bellwether';

await init();
let now = 1_700_000_000_000;
const engine = new Engine({ clock: () => now });
const handles = Uint32Array.from({ length: 2_000 }, (_, place) => engine.series('steps', { host: `host-${place}` }));
const timestamps = new Float64Array(handles.length);
const values = new Float64Array(handles.length);
const sizes = [];
for (let second = 0; second < 400; second += 1) {
  now += 1000;
  engine.recordColumns(handles, timestamps.fill(now), values.map((_, place) => second * 7.3 + place));
  const { wasmBytes } = engine.memory();
  if (wasmBytes !== sizes.at(-1)) sizes.push(wasmBytes);
}
engine.free();
console.log(JSON.stringify({ sizes }));
