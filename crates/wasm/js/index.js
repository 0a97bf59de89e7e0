// The entry for browsers, their workers and bundlers.
import load from './dist/bellwether.js';
import { loadOnce } from './engine.js';

export { BellwetherError, Engine, Points, Sketch, Sketches, Table } from './engine.js';
export { MonitoringModule } from './monitoring.js';

export function init(source) {
  return loadOnce(() => load(source === undefined ? undefined : { module_or_path: source }));
}
