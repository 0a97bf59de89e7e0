// The entry for browsers, their workers and bundlers.
import load from './dist/bellwether.js';
import { loadOnce } from './engine.js';

export { BellwetherError, Engine, Points, Sketch, Sketches, Table } from './engine.js';
export { MonitoringModule } from './monitoring.js';

export function init(source) {
  // Vite's development server serves the scripts of packages from a folder of its own, and the rest of them from theirs.
  const [packages, moved] = String(import.meta.url).split('/.vite/');
  const from = source ?? (moved && `${packages}/bellwether/dist/bellwether_bg.wasm`);
  return loadOnce(() => load(from && { module_or_path: from }));
}
