// The entry for Node and its worker threads: the wasm is read from the package's own folder.
import { readFileSync } from 'node:fs';
import load, { initSync } from './dist/bellwether.js';
import { loadOnce } from './engine.js';

export { BellwetherError, Engine, Points, Sketch, Sketches, Table } from './engine.js';
export { MonitoringModule } from './monitoring.js';

export function init(source) {
  return loadOnce(() =>
    source === undefined
      ? initSync({ module: readFileSync(new URL('./dist/bellwether_bg.wasm', import.meta.url)) })
      : load({ module_or_path: source }),
  );
}
