// The live client's entry for browsers, their workers and bundlers; what it says in types is of both entries.
import { Engine, init } from './index.js';
import { connector, type Live } from './live/client.js';
import type { LiveOptions } from './live/options.js';

export { BellwetherError } from './error.js';
export type { Live } from './live/client.js';
export type {
  LiveAlert,
  LiveClock,
  LiveEvents,
  LiveHello,
  LiveMetric,
  LiveOptions,
  LiveStatus,
  LiveWebSocket,
  LiveWebSocketClass,
} from './live/options.js';

/**
 * Follows a gateway's live feed into an engine of its own: the history of `subscribe`, then what comes. It loads the
 * engine itself, connects again after a cut, with a wait that grows and is partly random, and goes on where it was: no
 * sample is missed and none is counted twice.
 *
 * @param url The gateway's address, such as `"https://metrics.example.org"`; a path below it is kept.
 * @param options What is followed, and how.
 * @throws {BellwetherError} `bad_option` or `no_websocket`. What goes wrong later is told by its status: `unreachable`
 *   and `timed_out` while it waits to try again; `refused`, `no_gateway`, `wasm_not_loaded`, `prepare_failed` or a code
 *   of the gateway's where it is closed for good.
 * @function
 *
 * @example
 * import { connect } from 'bellwether/live';
 *
 * const live = connect('http://127.0.0.1:4000', { subscribe: [{ name: 'booking_response_time', range: '1h' }] });
 * live.on('update', () => {
 *   console.log(live.query({ name: 'booking_response_time', window: '5m', agg: 'p99' })?.result);
 * });
 */
export const connect: (url: string, options: LiveOptions) => Live = /* @__PURE__ */ connector({ init, Engine });
