// What the entries for Node and for browsers share: loading once, and an Engine that says so when it was forgotten.
import { BellwetherError, Engine as WasmEngine } from './dist/bellwether.js';

export { BellwetherError };

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

export class Engine extends WasmEngine {
  constructor(options) {
    if (!loaded) {
      throw new BellwetherError('not_initialized', 'the engine is not loaded yet; `await init()` once before `new Engine()`');
    }
    super(options);
  }

  free() {
    super.free();
    // On this one engine only, so that a living one pays nothing for it.
    for (const name of ['record', 'recordColumns', 'query', 'metrics', 'memory']) this[name] = refuse;
    this.free = () => {};
  }
}

function refuse() {
  throw new BellwetherError('freed', 'the engine was freed; make a new one with `new Engine()`');
}

if (Symbol.dispose) {
  Engine.prototype[Symbol.dispose] = function dispose() {
    this.free();
  };
}
