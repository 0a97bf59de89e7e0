import { BellwetherError, Engine, Points, Sketch, Sketches, init } from 'bellwether';

const early = [Engine, Points, Sketch, Sketches].map((Class) => {
  try {
    new Class();
  } catch (error) {
    return error instanceof BellwetherError && error.code;
  }
});
await init();

let now = 1_800_000_000_000;
const engine = new Engine({ clock: () => now });
engine.setBoard({
  rules: [{ name: 'Slow', query: { metric: 'latency', window: '10s', agg: 'max' }, is: '>', threshold: 100, severity: 'page', no_data: 'resolve' }],
});
const told = [];
const thrown = [];
process.on('uncaughtException', (error) => thrown.push(error.message));
engine.onAlert(() => {
  throw new Error('a listener that fails');
});
// A listener may ask the engine that tells it.
const stop = engine.onAlert(({ alert, to }) => told.push([to, alert.value, engine.alerts().length]));
engine.record('latency', 300);
engine.evaluate();
now += 20_000;
engine.evaluate();
stop();
engine.record('latency', 400);
const { transitions } = engine.evaluate();

const restored = Engine.restore(engine.snapshot(), { clock: () => now });
const { result } = restored.query({ name: 'latency', window: '1m', agg: 'sum' });

class Own extends Engine {
  own() {
    return this.memory().series;
  }
}
const sketch = new Sketch();
sketch.record(1);
const copies = [sketch, new Sketches(1).at(0), restored, new Own()].map((object) => object.constructor.name);
const own = new Own();
const isOwn = own.own() === 0 && own instanceof Engine && restored instanceof Engine;
sketch.free();
sketch[Symbol.dispose]?.();
const freed = (() => {
  try {
    return sketch.count;
  } catch (error) {
    return error.code;
  }
})();
// Errors of listeners are thrown once this has run to its end.
await new Promise(setImmediate);
console.log(JSON.stringify({ early, told, again: transitions.map(({ to }) => to), thrown, result, copies, isOwn, freed }));
