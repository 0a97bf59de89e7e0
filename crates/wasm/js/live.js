// The live client's entry for browsers, their workers and bundlers.
import { Engine, init } from './index.js';
import { connector } from './live/client.js';

export { BellwetherError } from './index.js';

export const connect = /* @__PURE__ */ connector({ init, Engine });
