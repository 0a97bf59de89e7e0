// A connection to a gateway that is made again whenever it is lost, until it is closed.
import { BellwetherError } from '../error.js';
import { LONGEST_MS, bad, checkPositive } from '../option.js';
import { platformClock, type LiveOptions, type LiveWebSocket } from './options.js';

/** What becomes of a connection. Each of these may close it. */
export interface Told {
  connecting(): void;
  /** A frame has come. What is thrown closes the connection for good. */
  frame(frame: string | ArrayBuffer): void;
  /** It is lost; the next attempt comes by itself. */
  waiting(retryInMs: number, reason: BellwetherError): void;
  /** It is closed for good. */
  failed(error: BellwetherError): void;
}

export interface Connection {
  /** Makes it, unless it was closed before. */
  open(): void;
  send(frame: object): void;
  /** All is well: the next wait is a short one again. */
  succeeded(): void;
  /** Ends it without a word; nothing is told any more. */
  close(): void;
}

/** A gateway that has too much to do is left alone for as long as after so many failures. */
const OVERLOADED = 3;
/** The subprotocol of the live feed. */
export const PROTOCOL = 'bellwether.v1';
/** The close code by which the gateway says that trying again is of no use. */
const FINAL = 1008;
/** The close code of a gateway that has too much to do. */
const TRY_AGAIN_LATER = 1013;
/** The first word of a reason where stored samples were changed: what came is to be taken anew. */
const RESTATED = 'restated';
/** How long to wait then at most, so that not all clients come at one instant. */
const ANEW_MS = 100;

/**
 * A connection to the gateway at `url`, not made yet.
 *
 * @throws {BellwetherError} `bad_option`, `no_websocket`
 */
export function connection(url: string, options: LiveOptions, told: Told): Connection {
  const {
    token,
    retryMs = 500,
    retryMostMs = 30_000,
    silenceMs = 20_000,
    WebSocket = (globalThis as { WebSocket?: unknown }).WebSocket as LiveOptions['WebSocket'],
    clock = platformClock,
    random = Math.random,
  } = options;
  const address = socketAddress(url);
  checkPositive({ retryMs, retryMostMs, silenceMs }, LONGEST_MS);
  if (typeof WebSocket !== 'function') {
    throw new BellwetherError('no_websocket', 'this platform has no WebSocket; give one as the option `WebSocket`, such as that of the package "ws"');
  }
  let socket: LiveWebSocket | undefined;
  let isClosed = false;
  /** Those since it last went well; -1 where it went well, and what came is to be taken anew. */
  let failures = 0;
  let cancel = () => {};

  const wait = (ms: number, then: () => void) => {
    cancel();
    cancel = clock.after(ms, then);
  };
  const hangUp = () => {
    cancel();
    if (!socket) return;
    const old = socket;
    socket = undefined;
    old.onopen = old.onmessage = old.onclose = null;
    // Some report what comes of closing a socket that is not open yet.
    old.onerror = () => {};
    old.close();
  };
  const close = () => {
    isClosed = true;
    hangUp();
  };
  const fail = (error: BellwetherError) => {
    if (isClosed) return;
    close();
    told.failed(error);
  };
  const lose = (code: string, message: string) => {
    hangUp();
    const whole = failures < 0 ? ANEW_MS : Math.min(retryMs * 2 ** failures, retryMostMs);
    failures += 1;
    // Not all clients at once.
    const retryInMs = Math.round(whole * (0.5 + random() / 2));
    wait(retryInMs, open);
    told.waiting(retryInMs, new BellwetherError(code, message));
  };

  /** Gives the connection up where it stays silent from now on. */
  const hearken = () => wait(silenceMs, () => lose('timed_out', `nothing was heard of ${address} for ${silenceMs} ms`));

  const open = () => {
    if (isClosed) return;
    told.connecting();
    // Whoever heard of it may have closed it.
    if (isClosed) return;
    try {
      socket = new WebSocket(address, PROTOCOL);
    } catch (error) {
      return fail(new BellwetherError('refused', `the platform does not open ${address}: ${(error as Error)?.message}`, { cause: error }));
    }
    socket.binaryType = 'arraybuffer';
    hearken();
    socket.onopen = () => token && send({ type: 'auth', token });
    socket.onmessage = ({ data }: { data: string | ArrayBuffer }) => {
      hearken();
      try {
        told.frame(data);
      } catch (error) {
        fail(error instanceof BellwetherError ? error : new BellwetherError('no_gateway', `what answers at ${address} cannot be read: ${(error as Error)?.message}`, { cause: error }));
      }
    };
    // What it was, the close says, or nobody knows.
    socket.onerror = () => {};
    socket.onclose = ({ code, reason }: { code: number; reason: string }) => {
      if (code === FINAL) return fail(new BellwetherError('refused', reason || 'closed by the gateway'));
      if (reason.startsWith(RESTATED)) failures ||= -1;
      else if (code === TRY_AGAIN_LATER) failures = Math.max(failures, OVERLOADED);
      lose('unreachable', reason || `no connection to ${address}`);
    };
  };
  const send = (frame: object) => socket?.send(JSON.stringify(frame));

  return {
    open,
    send,
    succeeded() {
      failures = 0;
    },
    close,
  };
}

function socketAddress(text: string): string {
  try {
    const { href } = new URL(text);
    if (/^(http|ws)s?:/.test(href)) return href.replace(/^http/, 'ws').replace(/\/?([?#].*)?$/, '/ws');
  } catch {
    // Said below.
  }
  throw bad('url', text, 'give the gateway\'s address such as "http://127.0.0.1:4000"');
}
