// What the entries for Node and for browsers share: loading once, and objects that say so when they were freed.
import { BellwetherError, Engine as WasmEngine, Table } from './dist/bellwether.js';

export { BellwetherError, Table };

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
}

/** Lets objects of a class be freed twice, and say so when they are used afterwards. */
function freeable(Class) {
  const { free } = Class.prototype;
  const methods = Object.getOwnPropertyNames(Class.prototype).filter((name) => name !== 'constructor' && !name.startsWith('__'));
  Class.prototype.free = function freeOnce() {
    free.call(this);
    // On this one object only, so that a living one pays nothing for it.
    for (const name of methods) this[name] = refuse;
    this.free = () => {};
  };
  if (Symbol.dispose) {
    Class.prototype[Symbol.dispose] = function dispose() {
      this.free();
    };
  }
}

function refuse() {
  throw new BellwetherError('freed', 'this was freed; make a new one');
}

freeable(WasmEngine);
freeable(Table);
