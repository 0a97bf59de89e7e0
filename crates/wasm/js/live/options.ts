// What a live client can be told, and what it says of itself.
import type { BellwetherError } from '../error.js';
import type { Alert, Board, Duration, Engine, EngineOptions, LabelCondition } from '../index.js';

/** A metric that is followed. */
export interface LiveMetric {
  /** The metric. */
  name: string;
  /** Which of its series; all by default. As in a query. */
  where?: { readonly [label: string]: LabelCondition } | readonly string[] | undefined;
  /**
   * How far back its history goes: the longest window that will be asked for; `"1h"` by default. Figures over a longer
   * one know of what came since, and not of what was before.
   */
  range?: Duration | undefined;
}

/** Settings of a live client. Only `subscribe` is needed. */
export interface LiveOptions {
  /** What is followed: at most 1,000 metrics. */
  subscribe: readonly LiveMetric[];
  /**
   * Said first of all on each connection, with the scope `read`; never put into the address. A gateway that asks nobody
   * for one takes no offence. None by default.
   */
  token?: string | undefined;
  /**
   * How fine: a summary of each series for each second (`"1s"`, the default), so that the cost does not depend on how
   * many samples there are, or each sample as it comes (`"raw"`). Figures are the same.
   */
  step?: '1s' | 'raw' | undefined;
  /** What each engine keeps, as `new Engine(…)` takes it, but for the clock, which is the gateway's. */
  engine?: Omit<EngineOptions, 'clock'> | undefined;
  /**
   * Called with each new engine before anything is in it, such as `(engine, hello) => engine.setBoard(hello.board)`. What
   * it throws closes the client for good, as `prepare_failed`.
   */
  prepare?: ((engine: Engine, hello: LiveHello) => void) | undefined;
  /** How long to wait before the second attempt, in ms; 500 by default. It doubles each time; up to half of it is left out by chance. */
  retryMs?: number | undefined;
  /** The longest wait between two attempts, in ms; 30,000 by default. */
  retryMostMs?: number | undefined;
  /**
   * After so many ms without a word from the gateway, which speaks every 5 s at least, a connection is given up, also one
   * that does not come about; 20,000 by default.
   */
  silenceMs?: number | undefined;
  /** The platform's `WebSocket` by default; before Node 22 give one, such as that of the package `ws`. */
  WebSocket?: LiveWebSocketClass | undefined;
  /** The platform's clock by default. */
  clock?: LiveClock | undefined;
  /** Gives a number in [0, 1) for the jitter; `Math.random` by default. */
  random?: (() => number) | undefined;
}

/** What a gateway says of itself. */
export interface LiveHello {
  /** The gateway's version. */
  version: string;
  /** What its host calls it. */
  title: string;
  /** Whether what it shows is a simulation. */
  demo: boolean;
  /** Its board, as {@link Engine.setBoard} takes it. */
  board: Board;
}

/** Where a live client stands. */
export type LiveStatus =
  /** A connection is being made. */
  | { state: 'connecting' }
  /** The gateway has spoken; what is missing is on its way. */
  | { state: 'filling' }
  /** The engine holds all, and follows. */
  | { state: 'live' }
  /** There is no connection; the next attempt comes by itself. The engine keeps what it holds. */
  | { state: 'waiting'; retryInMs: number; reason: BellwetherError }
  /** It is over: closed by its owner, or, where there is an `error`, for good by the gateway. */
  | { state: 'closed'; error?: BellwetherError };

/** An alert of the gateway's: what `Engine.alerts` says of one, and what its rule says. */
export interface LiveAlert extends Alert {
  state: 'pending' | 'firing' | 'resolved';
  /** The sign between value and threshold. */
  is: '>' | '>=' | '<' | '<=';
  /** In the unit of the figure. */
  threshold: number;
  /** One sentence for people; where to read what to do. */
  annotations: { summary?: string; runbook?: string };
}

/** What can be listened to, and what listeners are told. */
export interface LiveEvents {
  /** Figures may have changed: something has come, or a second has passed. At most once for each frame. */
  update: [];
  /** It stands elsewhere. */
  status: [LiveStatus];
  /** The gateway's alerts have changed. */
  alerts: [readonly LiveAlert[]];
  /** Something was left out: a metric with too many series, a point that the engine refused. */
  problem: [BellwetherError];
}

/** Where a live client gets its time from. */
export interface LiveClock {
  /** Milliseconds that never go back. */
  elapsed(): number;
  /** Calls `then` after `ms`; gives what calls that off. */
  after(ms: number, then: () => void): () => void;
}

/** The part of a `WebSocket` that is used. */
export interface LiveWebSocket {
  binaryType: string;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(text: string): void;
  close(): void;
}

/** What makes a {@link LiveWebSocket}. */
export type LiveWebSocketClass = new (url: string, protocol: string) => LiveWebSocket;

export const platformClock: LiveClock = {
  elapsed: () => performance.now(),
  after(ms, then) {
    const timer = setTimeout(then, ms);
    return () => clearTimeout(timer);
  },
};
