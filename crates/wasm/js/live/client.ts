/// <reference lib="esnext.disposable" />
// Follows a gateway's live feed into an engine of its own: history, then what comes, also across cuts.
import { BellwetherError } from '../error.js';
import type { Engine, EngineOptions, Figure, Groups, Query, TimestampMs } from '../index.js';
import { header } from './header.js';
import { platformClock, type LiveAlert, type LiveEvents, type LiveHello, type LiveOptions, type LiveStatus, type LiveWebSocket } from './options.js';

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
} from './options.js';

/** A live client. */
export interface Live {
  /** Where it stands. */
  readonly status: LiveStatus;
  /** Settles when the first history is complete; is rejected where that will never be. */
  readonly ready: Promise<void>;
  /**
   * The engine with all that has come; `undefined` until the first history is complete. Ask for it each time: where the
   * gateway no longer has what was missed, another one takes its place.
   */
  readonly engine: Engine | undefined;
  /** What the gateway says of itself; `undefined` before its first words. */
  readonly hello: LiveHello | undefined;
  /** The gateway's alerts. */
  readonly alerts: readonly LiveAlert[];
  /** The gateway's clock, which windows end at; `undefined` before its first words. */
  now(): TimestampMs | undefined;
  /** {@link Engine.query} of its engine at its clock; `undefined` until there is one. */
  query<const Name extends string>(query: Query & { by: readonly Name[] }): Groups<Name> | undefined;
  query(query: Query & { by?: undefined }): Figure | undefined;
  /** Listens; gives what ends that. */
  on<Event extends keyof LiveEvents>(event: Event, listener: (...told: LiveEvents[Event]) => void): () => void;
  /** Closes the connection and frees the engine; nothing is told any more. */
  close(): void;
  /** {@link Live.close}, for `using`. */
  [Symbol.dispose](): void;
}

/** What the entries give the client: the engine as their platform loads it. */
interface Platform {
  init(): Promise<void>;
  Engine: new (options?: EngineOptions) => Engine;
}

/** How long a connection may take to come about. */
const CONNECT_MS = 15_000;
/** The least wait where the gateway has too much to do, in times of `retryMs`. */
const OVERLOADED = 8;
/** Close codes by which the gateway says that trying again is of no use. */
const FINAL_CLOSES = [1008, 4401, 4403];
/** The close code of a gateway that has too much to do. */
const TRY_AGAIN_LATER = 1013;
/** Errors after which nothing would come. */
const FINAL_ERRORS = ['bad_frame', 'unknown_type', 'bad_step', 'not_supported'];
const SUBSCRIPTION = 1;

export function connector({ init, Engine }: Platform) {
  return function connect(url: string, options: LiveOptions): Live {
    const {
      step = '1s',
      prepare,
      retryMs = 500,
      retryMostMs = 30_000,
      silenceMs = 20_000,
      WebSocket = (globalThis as { WebSocket?: unknown }).WebSocket as LiveOptions['WebSocket'],
      clock = platformClock,
      random = Math.random,
    } = options;
    const address = socketAddress(url);
    if (!Array.isArray(options.subscribe)) throw bad('subscribe', options.subscribe, 'give an array such as [{ name: "booking_response_time", range: "1h" }]');
    for (const [name, value] of Object.entries({ retryMs, retryMostMs, silenceMs })) {
      if (!(value > 0)) throw bad(name, value, 'give a number above 0');
    }
    if (typeof WebSocket !== 'function') {
      throw new BellwetherError('no_websocket', 'this platform has no WebSocket; give one as the option `WebSocket`, such as that of the package "ws"');
    }
    const metrics = options.subscribe.map(({ range, ...rest }) => ({ ...rest, ...(range !== undefined && { range: typeof range === 'number' ? `${range}ms` : range }) }));

    let status: LiveStatus = { state: 'connecting' };
    let hello: LiveHello | undefined;
    let alerts: readonly LiveAlert[] = [];
    /** The engine with all that has come, and one that is being filled to take its place. */
    let engine: Engine | undefined;
    let filling: Engine | undefined;
    /** Up to where `engine` has all; `undefined` where it cannot go on. */
    let place: { epoch: number; seq: number } | undefined;
    /** Whether the gateway has left nothing out: what it has left out it must find out anew. */
    let whole = true;
    /** The gateway's clock: what it said, and when. */
    let told: { now: number; at: number } | undefined;
    let socket: LiveWebSocket | undefined;
    let failures = 0;
    let cancel = () => {};
    const listeners: { [event: string]: Set<(...told: any[]) => void> } = {};
    let settle = { resolve() {}, reject(_: unknown) {} };
    const ready = new Promise<void>((resolve, reject) => {
      settle = { resolve, reject };
    });
    // Who does not wait for it hears of it by the status.
    ready.catch(() => {});

    const tell = <Event extends keyof LiveEvents>(event: Event, ...what: LiveEvents[Event]) => {
      for (const listener of [...(listeners[event] ?? [])]) {
        try {
          listener(...what);
        } catch (error) {
          // Reported as uncaught, as an event's would be: the others are told all the same.
          queueMicrotask(() => {
            throw error;
          });
        }
      }
    };
    const stand = (next: LiveStatus) => {
      status = next;
      tell('status', next);
    };
    const now = () => told && Math.round(told.now + clock.elapsed() - told.at);
    const wait = (ms: number, then: () => void) => {
      cancel();
      cancel = clock.after(ms, then);
    };

    /** Ends this connection without a word from it any more. */
    const hangUp = () => {
      cancel();
      if (!socket) return;
      const old = socket;
      socket = undefined;
      old.onopen = old.onmessage = old.onclose = null;
      // Some report what comes of closing a socket that is not open yet.
      old.onerror = () => {};
      try {
        old.close();
      } catch {
        // It is closed.
      }
    };
    const over = (error?: BellwetherError) => {
      if (status.state === 'closed') return;
      hangUp();
      stand(error ? { state: 'closed', error } : { state: 'closed' });
      settle.reject(error ?? new BellwetherError('closed', 'the live client was closed'));
    };
    const away = (code: string, message: string, least = 1) => {
      hangUp();
      drop();
      const whole = Math.min(retryMs * Math.max(2 ** failures, least), retryMostMs);
      failures += 1;
      // Not all clients at once.
      const retryInMs = Math.round(whole * (0.5 + random() / 2));
      wait(retryInMs, open);
      stand({ state: 'waiting', retryInMs, reason: new BellwetherError(code, message) });
    };
    /** Gives up what is half filled. */
    const drop = () => {
      filling?.free();
      filling = undefined;
    };
    const fresh = () => {
      drop();
      place = undefined;
      filling = new Engine({ ...options.engine, clock: () => now() ?? 0 });
      if (hello) prepare?.(filling, hello);
    };

    const open = () => {
      stand({ state: 'connecting' });
      let opened: LiveWebSocket;
      try {
        opened = new WebSocket(address, 'bellwether.v1');
      } catch (error) {
        return over(new BellwetherError('refused', `the platform does not open ${address}: ${(error as Error)?.message}`, { cause: error }));
      }
      socket = opened;
      socket.binaryType = 'arraybuffer';
      wait(CONNECT_MS, () => away('timed_out', `${address} does not answer`));
      socket.onmessage = ({ data }) => {
        wait(silenceMs, () => away('timed_out', `nothing was heard of ${address} for ${silenceMs} ms`));
        try {
          if (typeof data === 'string') text(JSON.parse(data));
          else binary(new Uint8Array(data));
        } catch (error) {
          over(error instanceof BellwetherError ? error : new BellwetherError('no_gateway', `what answers at ${address} cannot be read: ${(error as Error)?.message}`, { cause: error }));
        }
      };
      const { token } = options;
      socket.onopen = () => token && opened.send(JSON.stringify({ type: 'auth', token }));
      // What it was, the close says, or nobody knows.
      socket.onerror = () => {};
      socket.onclose = ({ code, reason }) => {
        if (FINAL_CLOSES.includes(code)) return over(new BellwetherError('refused', String(reason || 'the gateway closed the connection for good')));
        away('unreachable', String(reason || `there is no connection to ${address}`), code === TRY_AGAIN_LATER ? OVERLOADED : 1);
      };
    };

    const text = (frame: any) => {
      switch (frame.type) {
        case 'hello': {
          if (frame.protocol !== 'bellwether.v1') throw new BellwetherError('no_gateway', `the gateway speaks ${frame.protocol}`);
          told = { now: frame.now, at: clock.elapsed() };
          const { version, title, demo, board } = frame;
          hello = { version, title, demo, board };
          if (!engine || !whole) place = undefined;
          if (!place) fresh();
          whole = true;
          socket?.send(JSON.stringify({ type: 'subscribe', id: SUBSCRIPTION, metrics, step, format: 'binary', ...(place && { resume: place }) }));
          return stand({ state: 'filling' });
        }
        case 'gap':
          // What was missed is gone: the history that follows fills another engine, and this one answers meanwhile.
          return fresh();
        case 'subscribed':
          if (filling) {
            const old = engine;
            engine = filling;
            filling = undefined;
            old?.free();
          }
          place = { epoch: frame.epoch, seq: frame.seq };
          failures = 0;
          stand({ state: 'live' });
          settle.resolve();
          return tell('update');
        case 'tick':
          told = { now: frame.now, at: clock.elapsed() };
          if (status.state !== 'live' || !place) return;
          // All that came to its subscription up to there was sent before.
          place.seq = frame.seq;
          return tell('update');
        case 'alert':
          alerts = frame.alerts;
          return tell('alerts', alerts);
        case 'error':
          if (FINAL_ERRORS.includes(frame.code)) throw new BellwetherError(frame.code, frame.message);
          if (frame.subscription !== undefined) whole = false;
          return tell('problem', new BellwetherError(frame.code, frame.message));
        default:
        // A later gateway may say more.
      }
    };
    const binary = (bytes: Uint8Array) => {
      const { epoch, seq, history, more } = header(bytes) ?? { epoch: 0, seq: 0, history: false, more: true };
      const into = history ? filling : engine;
      if (!into) return;
      const { rejections } = into.mergeFrame(bytes);
      if (!history) place = more ? undefined : { epoch, seq };
      // What has left the tiers while it was on its way is no problem.
      const refused = rejections.find(({ code }) => code !== 'too_late');
      if (refused) tell('problem', new BellwetherError(refused.code, refused.message));
      if (!history) tell('update');
    };

    init().then(
      () => {
        if (status.state !== 'closed') open();
      },
      (error) => over(error),
    );

    const close = () => {
      over();
      drop();
      engine?.free();
      engine = undefined;
      for (const event of Object.keys(listeners)) delete listeners[event];
    };
    const live: Omit<Live, typeof Symbol.dispose> = {
      get status() {
        return status;
      },
      ready,
      get engine() {
        return engine;
      },
      get hello() {
        return hello;
      },
      get alerts() {
        return alerts;
      },
      now,
      query: ((query: any) => engine?.query(query)) as Live['query'],
      on(event, listener) {
        if (typeof listener !== 'function') throw bad(event, listener, 'the listener must be a function');
        const own = (listeners[event] ??= new Set());
        own.add(listener);
        return () => void own.delete(listener);
      },
      close,
    };
    // Not every platform has it yet.
    return (Symbol.dispose ? Object.assign(live, { [Symbol.dispose]: close }) : live) as Live;
  };
}

function bad(name: string, value: unknown, how: string): BellwetherError {
  return new BellwetherError('bad_option', `\`${name}\` is ${String(value)}; ${how}`);
}

function socketAddress(text: string): string {
  try {
    const url = new URL(text);
    if (['http:', 'https:', 'ws:', 'wss:'].includes(url.protocol)) {
      url.protocol = url.protocol.replace('http', 'ws');
      url.pathname = `${url.pathname.replace(/\/$/, '')}/ws`;
      url.search = url.hash = '';
      return url.href;
    }
  } catch {
    // Said below.
  }
  throw bad('url', text, 'give the gateway\'s address such as "http://127.0.0.1:4000"');
}
