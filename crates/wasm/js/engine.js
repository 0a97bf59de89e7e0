// What the entries for Node and for browsers share: loading once, objects that say so when they were freed, listeners.
import * as wasm from './dist/bellwether.js';
import { listen, tellAll } from './listeners.js';

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

const listeners = Symbol('listeners');
const engine = wasm.Engine.prototype;
const { evaluate, record, recordAgain, setBoard } = engine;
delete engine.recordAgain;

/** The handles of the series that `record` was called with, by how they were written. */
const handles = Symbol('handles');
/** Where labels never come again, their handles are forgotten and found anew. */
const MOST_HANDLES = 100_000;

const length = (text) => `${text.length}:${text}`;

/**
 * A series as it is written, like no other; `undefined` where only the engine can tell what is meant.
 * @param {Record<string, unknown>} [options]
 */
function written(name, options) {
  if (typeof name !== 'string') return undefined;
  let text = length(name);
  if (options === undefined || options === null) return text;
  if (typeof options !== 'object') return undefined;
  for (const option in options) {
    if (option === 'kind' || option === 'unit') text += `,${option}${length(String(options[option]))}`;
    else if (option !== 'labels' && option !== 'timestamp') return undefined;
  }
  const labels = options.labels ?? {};
  if (typeof labels !== 'object' || Array.isArray(labels)) return undefined;
  for (const label of Object.keys(labels)) {
    const value = labels[label];
    if (typeof value !== 'string') return undefined;
    text += length(label) + length(value);
  }
  return text;
}

// For the engine to read a name, labels and options takes most of the time of a call. So it does that once for each
// series; from then on the handle, the value and the time are all that is passed on.
engine.record = function recordOne(name, value, options) {
  let text;
  try {
    text = written(name, options);
    const handle = text === undefined ? undefined : this[handles]?.get(text);
    const timestamp = options?.timestamp ?? undefined;
    const isPlain = timestamp === undefined || (Number.isSafeInteger(timestamp) && timestamp >= 0);
    if (handle !== undefined && isPlain && Number.isFinite(value)) return recordAgain.call(this, handle, value, timestamp ?? Number.NaN);
  } catch (error) {
    if (error instanceof BellwetherError) throw error;
    // What throws when it is read is for the engine to judge.
    text = undefined;
  }
  record.call(this, name, value, options);
  if (text === undefined) return undefined;
  const own = (this[handles] ??= new Map());
  if (own.size >= MOST_HANDLES) own.clear();
  own.set(text, this.series(name, options?.labels));
  return undefined;
};

// A board may change what a metric's unit is, and so what fits.
engine.setBoard = function setBoardAnew(board) {
  setBoard.call(this, board);
  this[handles]?.clear();
};

engine.onAlert = function onAlert(listener) {
  return listen((this[listeners] ??= new Set()), 'listener', listener);
};

// The listeners are called when the engine is at rest, so that they may ask it.
engine.evaluate = function evaluateAndTell(now) {
  const evaluation = evaluate.call(this, now);
  for (const transition of evaluation.transitions) tellAll(this[listeners], transition);
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
