/// <reference lib="esnext.disposable" />
// Follows a gateway's live feed into an engine of its own: history, then what comes, also across cuts.
import { BellwetherError } from '../error.js';
import type { Engine, EngineOptions, Figure, Groups, Query, TimestampMs } from '../index.js';
import { listen, tellAll } from '../listeners.js';
import { bad } from '../option.js';
import { PROTOCOL, connection } from './connection.js';
import { header } from './header.js';
import { platformClock, type LiveAlert, type LiveEvents, type LiveHello, type LiveOptions, type LiveStatus } from './options.js';

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
  query(query: Query): Figure | Groups | undefined;
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

const SUBSCRIPTION = 1;

export function connector({ init, Engine }: Platform) {
  return function connect(url: string, given: LiveOptions): Live {
    const options = given ?? ({} as LiveOptions);
    const { step = '1s', prepare, clock = platformClock } = options;
    if (!Array.isArray(options.subscribe)) throw bad('subscribe', options.subscribe, 'give an array such as [{ name: "latency", range: "1h" }]');
    const metrics = options.subscribe.map((metric) => ({ ...metric, range: typeof metric?.range === 'number' ? `${metric.range}ms` : (metric?.range ?? '1h') }));

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
    const listeners: { [event: string]: Set<(...told: any[]) => void> } = {};
    let arrive!: () => void;
    let fail!: (error: unknown) => void;
    const ready = new Promise<void>((resolve, reject) => {
      arrive = resolve;
      fail = reject;
    });
    // Who does not wait for it hears of it by the status.
    ready.catch(() => {});

    const tell = <Event extends keyof LiveEvents>(event: Event, ...what: LiveEvents[Event]) => {
      tellAll(listeners[event], ...what);
    };
    const stand = (next: LiveStatus) => {
      // That is the end, whoever of those who were told has brought it about.
      if (status.state === 'closed') return;
      status = next;
      tell('status', next);
    };
    const tick = (now: TimestampMs) => {
      told = { now, at: clock.elapsed() };
    };
    const now = () => told && Math.round(told.now + clock.elapsed() - told.at);

    /** Gives up what is half filled. */
    const drop = () => {
      filling?.free();
      filling = undefined;
    };
    const fresh = () => {
      drop();
      place = undefined;
      filling = new Engine({ ...options.engine, clock: () => now() ?? 0 });
      try {
        if (hello) prepare?.(filling, hello);
      } catch (error) {
        throw new BellwetherError('prepare_failed', `\`prepare\` threw: ${(error as Error)?.message}`, { cause: error });
      }
    };
    const over = (error?: BellwetherError) => {
      drop();
      stand({ state: 'closed', ...(error && { error }) });
      fail(error ?? new BellwetherError('closed', 'the live client was closed'));
    };

    const feed = connection(url, options, {
      connecting: () => stand({ state: 'connecting' }),
      frame: (frame) => (typeof frame === 'string' ? text(JSON.parse(frame)) : binary(new Uint8Array(frame))),
      waiting(retryInMs, reason) {
        drop();
        stand({ state: 'waiting', retryInMs, reason });
      },
      failed: over,
    });

    const text = (frame: any) => {
      switch (frame.type) {
        case 'hello': {
          const { protocol, version, title, demo, board } = frame;
          if (protocol !== PROTOCOL) throw new BellwetherError('no_gateway', `the gateway speaks ${protocol}`);
          tick(frame.now);
          hello = { version, title, demo, board };
          if (!engine || !whole) place = undefined;
          if (!place) fresh();
          whole = true;
          feed.send({ type: 'subscribe', id: SUBSCRIPTION, metrics, step, format: 'binary', resume: place });
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
          feed.succeeded();
          stand({ state: 'live' });
          arrive();
          return tell('update');
        case 'tick':
          tick(frame.now);
          if (status.state !== 'live' || !place) return;
          // All that came to its subscription up to there was sent before.
          place.seq = frame.seq;
          return tell('update');
        case 'alert':
          alerts = frame.alerts.map(alertOf);
          return tell('alerts', alerts);
        case 'error': {
          const error = new BellwetherError(frame.code, frame.message);
          if (frame.subscription !== undefined) {
            whole = false;
            return tell('problem', error);
          }
          // The subscription is refused as a whole: nothing would come.
          throw error;
        }
        default:
        // A later gateway may say more.
      }
    };
    const binary = (bytes: Uint8Array) => {
      const { epoch, seq, history, more } = header(bytes);
      const into = history ? filling : engine;
      if (!into) return;
      const { rejections } = into.mergeFrame(bytes);
      if (!history) place = more ? undefined : { epoch, seq };
      // What has left the tiers while it was on its way is no problem.
      const refused = rejections.find(({ code }) => code !== 'too_late');
      if (refused) tell('problem', new BellwetherError(refused.code, refused.message));
      if (!history) tell('update');
    };

    init().then(feed.open, over);

    const close = () => {
      feed.close();
      over();
      engine?.free();
      engine = undefined;
      for (const own of Object.values(listeners)) own.clear();
    };
    return {
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
      on: (event, listener) => listen((listeners[event] ??= new Set()), event, listener),
      close,
      // Not every platform has it yet.
      ...(Symbol.dispose && { [Symbol.dispose]: close }),
    } as Live;
  };
}

/** An alert in the words of the package. */
function alertOf({ active_at: activeAt, fired_at: firedAt = null, resolved_at: resolvedAt = null, keep_firing_since: _, ...rest }: any): LiveAlert {
  return { ...rest, activeAt, firedAt, resolvedAt };
}
