// The live client's entry for Node and its worker threads.
import { Engine, init } from './node.js';
import { connector } from './live/client.js';

export { BellwetherError } from './node.js';

export const connect = /* @__PURE__ */ connector({ init, Engine });
