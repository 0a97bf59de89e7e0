// What the entries for Node and for browsers share: loading once, objects that say so when they were freed, listeners.
import * as wasm from './dist/bellwether.js';

const { BellwetherError } = wasm;

let loading;
let loaded = false;

/**
 * Runs `load` once, however often and from wherever it is called; a failed load may be tried again.
 * @param {() => unknown} load
 */
export function loadOnce(load) {
  loading ??= Promise.resolve()
    .then(load)
    .then(
      () => {
        loaded = true;
      },
      (cause) => {
        loading = undefined;
        throw new BellwetherError(
          'wasm_not_loaded',
          `the engine's WebAssembly could not be loaded (${cause?.message ?? cause}); check that bellwether_bg.wasm is served beside the script, or give its address to init()`,
          { cause },
        );
      },
    );
  return loading;
}

const listeners = new WeakMap();
const engine = wasm.Engine.prototype;
const { evaluate } = engine;

engine.onAlert = function onAlert(listener) {
  if (typeof listener !== 'function') throw new BellwetherError('bad_option', 'onAlert: the listener must be a function');
  const own = listeners.get(this) ?? new Set();
  listeners.set(this, own.add(listener));
  return () => void own.delete(listener);
};

// The listeners are called when the engine is at rest, so that they may ask it.
engine.evaluate = function evaluateAndTell(now) {
  const evaluation = evaluate.call(this, now);
  for (const transition of evaluation.transitions) {
    for (const listener of [...(listeners.get(this) ?? [])]) {
      try {
        listener(transition);
      } catch (error) {
        // Reported as uncaught, as an event's would be: the others are told all the same.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
  return evaluation;
};

const sketch = wasm.Sketch.prototype;
const { merge } = sketch;

sketch.merge = function mergeAnother(other) {
  if (!(other instanceof wasm.Sketch) || other === this) throw new BellwetherError('bad_sketch', 'merge: give another Sketch');
  // Throws where that one was freed.
  void other.count;
  merge.call(this, other);
};

function refuse() {
  throw new BellwetherError('freed', 'this was freed; make a new one');
}

/** Lets objects of a class be freed twice, and say so when they are used afterwards. */
function freeable({ prototype }) {
  const { free } = prototype;
  const members = Object.entries(Object.getOwnPropertyDescriptors(prototype)).filter(
    ([name]) => !['constructor', 'free'].includes(name) && !name.startsWith('__'),
  );
  const refused = Object.fromEntries(members.map(([name, { get }]) => [name, get ? { get: refuse } : { value: refuse }]));
  prototype.free = function freeOnce() {
    free.call(this);
    // On this one object only, so that a living one pays nothing for it.
    Object.defineProperties(this, { ...refused, free: { value() {} } });
  };
  if (Symbol.dispose) {
    prototype[Symbol.dispose] = function dispose() {
      this.free();
    };
  }
}

/** The class, but for a constructor that says so where the engine is not loaded. */
function loadable(Class) {
  function Loadable(...parameters) {
    if (!loaded) {
      throw new BellwetherError('not_initialized', `the engine is not loaded yet; \`await init()\` once before \`new ${Class.name}()\``);
    }
    return Reflect.construct(Class, parameters, new.target);
  }
  Object.defineProperty(Loadable, 'name', { value: Class.name });
  Loadable.prototype = Class.prototype;
  Class.prototype.constructor = Loadable;
  return Loadable;
}

const { Table } = wasm;
for (const Class of [wasm.Engine, wasm.Points, wasm.Sketch, wasm.Sketches, Table]) freeable(Class);

export const Engine = loadable(wasm.Engine);
Engine.restore = (bytes, options) => new Engine({ ...options, snapshot: bytes });
export const Points = loadable(wasm.Points);
export const Sketch = loadable(wasm.Sketch);
export const Sketches = loadable(wasm.Sketches);
export { BellwetherError, Table };
