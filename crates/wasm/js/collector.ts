// Records samples with a gateway: batched, sent again until they are stored, and never in the way of the caller.
import { BellwetherError } from './error.js';
import type { Aggregation, Duration, Labels, Scorecard, TimestampMs } from './index.js';
import { ask, type Answer, type Door } from './collector/ask.js';
import { inBrowser, onLeaving } from './collector/leaving.js';
import { platformClock, type CollectorOptions, type Counters, type Fetch, type Problem, type SampleOptions } from './collector/options.js';
import { queue } from './collector/queue.js';
import { timing, type Time, type Timer } from './collector/timing.js';
import { LONGEST_MS, bad, checkPositive } from './option.js';

export { BellwetherError };
export type { Scorecard } from './index.js';
export { expressRequests, fastifyRequests } from './collector/requests.js';
export type { AbortSignalLike, Clock, CollectorOptions, Counters, Fetch, Problem, SampleOptions } from './collector/options.js';
export type { ExpressRequest, ExpressResponse, FastifyReply, FastifyRequest, Recorder } from './collector/requests.js';
export type { Time, Timer } from './collector/timing.js';

/** What is asked of a metric. */
export interface MetricQuery<Name extends string = string> {
  /** Length of the window, such as `'5m'`: `(now − window, now]`. */
  window: Duration;
  agg: Aggregation;
  /** Labels to group by; the answer is then a list of groups. */
  by?: readonly Name[] | undefined;
  /** Which series count, such as `{ route: '/book' }`. */
  where?: { readonly [label: string]: string } | undefined;
  /** How several series become one figure; `merge` by default. */
  across?: 'merge' | 'sum' | 'avg' | 'min' | 'max' | undefined;
  /** The instant that the window ends at; now by default. */
  at?: TimestampMs | undefined;
}

/** The figure of one group of series. */
export interface MetricGroup<Name extends string = string> {
  labels: { readonly [name in Name]?: string };
  /** `null`, never 0, where the window holds nothing. */
  result: number | null;
  count: number;
}

/** Records and asks. All its functions may be taken out of it: `const { recordMetric } = createCollector(…)`. */
export interface Collector {
  /**
   * Takes a sample and returns at once; it is sent with others soon. It never throws: what goes wrong is counted and
   * told to `onProblem`.
   *
   * @example
   * recordMetric('booking_response_time', 120, { route: '/book' });
   */
  recordMetric(name: string, value: number, labels?: Labels, options?: SampleOptions): void;
  /**
   * Asks the gateway for a figure.
   *
   * @throws {BellwetherError} (as a rejection) with the gateway's code, `unreachable`, `timed_out` or `no_gateway`.
   *
   * @example
   * await queryMetric('booking_response_time', { window: '5m', agg: 'avg' }); // 130, or null where there is nothing
   */
  queryMetric<const Name extends string>(
    name: string,
    query: MetricQuery<Name> & { by: readonly Name[] },
  ): Promise<MetricGroup<Name>[]>;
  queryMetric(name: string, query: MetricQuery & { by?: undefined }): Promise<number | null>;
  /** The gateway's scorecard of a grants office. @throws as {@link queryMetric} does. */
  getDashboard(): Promise<Scorecard>;
  /**
   * Starts a timer; calling what it gives records the milliseconds since, and gives them.
   *
   * @example
   * const stop = timer('booking_response_time');
   * await chooseSlot();
   * stop({ outcome: 'booked' });
   */
  timer: Timer;
  /**
   * Runs `work` and records how many milliseconds it took, also where it fails; gives what it gives.
   *
   * @example
   * const slot = await time('booking_response_time', () => chooseSlot());
   */
  time: Time;
  /**
   * Sends what waits now. `true` when all that was recorded before is stored, refused or dropped; `false` where that
   * took longer than `timeoutMs` (10,000 by default): it goes on being sent.
   */
  flush(timeoutMs?: number): Promise<boolean>;
  /** {@link flush}, then tries once more, drops what is left, and records no more. Gives what became of all. */
  close(timeoutMs?: number): Promise<Counters>;
  /** What became of the samples until now. */
  counters(): Counters;
}

/** Most bytes of a batch: below the gateway's limit of 1 MiB. */
const BODY_BYTES = 1_000_000;
/** Most samples of a batch: the gateway's limit. */
const BATCH_SAMPLES = 10_000;
/** In a page two batches may be on their way when it ends, and browsers let 64 KiB outlive it. */
const PAGE_BODY_BYTES = 30 * 1024;
/** Answers after which the same batch is sent again. */
const AGAIN = [0, 408, 429, 500, 502, 503, 504];

/**
 * A collector that sends to the gateway at `url`.
 *
 * Each batch carries an `Idempotency-Key`, so that one which is sent again, because its answer was lost, is stored once.
 * When a Node process ends by itself or by SIGTERM it waits up to 5 s for what is left; a page sends it off.
 *
 * @throws {BellwetherError} `bad_option`
 *
 * @example
 * export const { recordMetric, queryMetric } = createCollector({ url: 'http://metrics-store:4000' });
 */
export function createCollector(options: CollectorOptions): Collector {
  const {
    url,
    token,
    labels: common,
    batchMs = 1_000,
    batchSamples = 1_000,
    queueBytes = 8 * 1024 * 1024,
    retryMs = 500,
    retryMostMs = 30_000,
    onProblem = warnOnce(),
    clock = platformClock,
    timeoutMs = 15_000,
    random = Math.random,
  } = options ?? ({} as CollectorOptions);
  checkPositive({ batchSamples, queueBytes }, Infinity);
  checkPositive({ batchMs, retryMs, retryMostMs, timeoutMs }, LONGEST_MS);
  const door: Door = {
    url: address(url),
    token,
    timeoutMs,
    clock,
    // Looked up at each call, as what watches or replaces `fetch` expects.
    fetch: options.fetch ?? (((url, init) => fetch(url, init as RequestInit)) as Fetch),
    keepalive: inBrowser,
  };
  const waiting = queue(queueBytes);
  const counters: Counters = { recorded: 0, stored: 0, rejected: 0, dropped: 0, waiting: 0, retries: 0 };
  const sender = uniqueName();
  let batches = 0;
  /** Samples that were lost without ever having waited. */
  let neverWaited = 0;
  let closed = false;
  let draining: Promise<void> | undefined;
  let due: (() => void) | undefined;
  /** Ends the pauses between repetitions early. */
  const wake = new Set<() => void>();
  /** Who waits until so many of the samples that waited are settled. */
  let flushes: { wanted: number; done: () => void }[] = [];

  const tell = (code: string, message: string, lost: number) => {
    try {
      onProblem({ code, message, lost });
    } catch {
      // What listens to problems must not make new ones.
    }
  };
  const settled = () => counters.stored + counters.rejected + counters.dropped;
  const settle = (what: 'stored' | 'rejected' | 'dropped', samples: number) => {
    counters[what] += samples;
    const through = settled() - neverWaited;
    for (const { done } of flushes.filter(({ wanted }) => wanted <= through)) done();
    flushes = flushes.filter(({ wanted }) => wanted > through);
  };
  const lose = (what: 'rejected' | 'dropped', samples: number, code: string, message: string) => {
    settle(what, samples);
    tell(code, message, samples);
  };
  const refuse = (what: 'rejected' | 'dropped', code: string, message: string) => {
    neverWaited += 1;
    lose(what, 1, code, message);
  };
  const pause = (ms: number) =>
    new Promise<void>((done) => {
      const end = () => {
        cancel();
        wake.delete(end);
        done();
      };
      const cancel = clock.after(ms, end);
      wake.add(end);
    });

  /** Takes the oldest samples off the queue and sends them until they are stored or refused. */
  const send = async () => {
    const samples = waiting.take(Math.min(Math.ceil(batchSamples), BATCH_SAMPLES), inBrowser ? PAGE_BODY_BYTES : BODY_BYTES);
    const body = `[${samples.join(',')}]`;
    const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': `${sender}:${(batches += 1)}` };
    for (let tries = 0; ; tries += 1) {
      const answer = await ask(door, 'ingest', headers, body);
      if (!AGAIN.includes(answer.status)) return conclude(samples.length, answer);
      if (closed) return lose('dropped', samples.length, 'closed', `the collector was closed; ${answer.message}`);
      tell(answer.code, answer.message, 0);
      counters.retries += 1;
      // Never earlier than asked, and not all senders at once.
      await pause(Math.max(answer.retryAfterMs, Math.min(retryMs * 2 ** tries, retryMostMs)) * (1 + random() / 2));
    }
  };
  const conclude = (samples: number, { status, json, code, message }: Answer) => {
    if (status === 204 || (status === 200 && json?.repeated)) settle('stored', samples);
    else if (status === 422 && Array.isArray(json?.rejected)) {
      const [first] = json.rejected;
      settle('stored', samples - json.rejected.length);
      lose('rejected', json.rejected.length, first?.code ?? code, `${json.rejected.length} of ${samples} samples were refused: ${first?.message}`);
    } else if (status < 300) lose('rejected', samples, 'no_gateway', `what answers at ${door.url} is no Bellwether gateway`);
    else lose('rejected', samples, code, message);
  };
  const drain = () => {
    due?.();
    due = undefined;
    if (draining || waiting.length === 0) return;
    draining = (async () => {
      // One batch at a time, so that the samples of a series arrive in order.
      while (waiting.length > 0) await send();
      draining = undefined;
    })();
  };

  const recordMetric: Collector['recordMetric'] = (name, value, labels, more) => {
    counters.recorded += 1;
    if (closed) return refuse('dropped', 'closed', 'a sample was recorded after the collector was closed');
    let json: string;
    try {
      json = JSON.stringify({ name, value, timestamp: clock.now(), labels: common || labels ? { ...common, ...labels } : undefined, ...more });
    } catch (error) {
      return refuse('rejected', 'not_json', `a sample cannot be written as JSON (${(error as Error)?.message})`);
    }
    const dropped = waiting.push(json);
    if (dropped < 0) return refuse('rejected', 'too_long', 'a sample is longer than 16 KiB');
    if (dropped > 0) lose('dropped', dropped, 'queue_full', `more than ${queueBytes} bytes of samples wait; the oldest were dropped`);
    if (waiting.length >= batchSamples) drain();
    else if (!draining) due ??= clock.after(batchMs, drain);
  };

  const figures = async (path: string) => {
    const { status, json, code, message, cause } = await ask(door, path, {});
    if (status === 200 && json) return json;
    throw status === 200
      ? new BellwetherError('no_gateway', `what answers at ${door.url} is no Bellwether gateway`)
      : new BellwetherError(code, message, { cause });
  };

  const flush = (timeoutMs = 10_000) =>
    new Promise<boolean>((resolve) => {
      if (settled() >= counters.recorded) return resolve(true);
      const cancel = clock.after(timeoutMs, () => resolve(false));
      flushes.push({
        wanted: counters.recorded - neverWaited,
        done: () => {
          cancel();
          resolve(true);
        },
      });
      drain();
    });
  const hurry = () => [...wake].forEach((end) => end());
  const giveUp = async () => {
    closed = true;
    stopListening();
    const left = waiting.take(Infinity, Infinity).length;
    if (left > 0) lose('dropped', left, 'closed', 'the collector was closed before its samples could be sent');
    hurry();
    await draining;
  };

  const stopListening = onLeaving({
    isIdle: () => settled() >= counters.recorded,
    flush(timeoutMs) {
      hurry();
      return flush(timeoutMs);
    },
    giveUp,
    sendOff() {
      hurry();
      if (draining && waiting.length > 0) void send();
      else drain();
    },
  });

  return {
    recordMetric,
    queryMetric: async (name: string, { window, agg, by, where, across, at } = {} as MetricQuery): Promise<any> => {
      const parameters = new URLSearchParams({ name, window: typeof window === 'number' ? `${window}ms` : window, agg });
      for (const label of by ?? []) parameters.append('by', label);
      for (const [label, value] of Object.entries(where ?? {})) parameters.append('where', `${label}:${value}`);
      if (across) parameters.set('across', across);
      if (at !== undefined) parameters.set('at', String(at));
      const answer = await figures(`query?${parameters}`);
      return by ? answer.groups : answer.result;
    },
    getDashboard: () => figures('api/v1/dashboard') as Promise<unknown> as Promise<Scorecard>,
    ...timing(recordMetric, clock),
    flush,
    async close(timeoutMs) {
      if (!closed) await flush(timeoutMs);
      await giveUp();
      return counted();
    },
    counters: counted,
  };

  function counted(): Counters {
    return { ...counters, waiting: counters.recorded - settled() };
  }
}

let ours: Collector | undefined;

/**
 * The collector of {@link recordMetric} and {@link queryMetric}: it sends to `BELLWETHER_URL` with `BELLWETHER_TOKEN`,
 * to the page's own site in a browser, else to `http://127.0.0.1:4000`.
 */
function defaultCollector(): Collector {
  const { env } = (globalThis as { process?: { env?: { [name: string]: string | undefined } } }).process ?? {};
  const site = typeof location === 'object' && location.origin.startsWith('http') ? location.origin : 'http://127.0.0.1:4000';
  return (ours ??= createCollector({ url: env?.['BELLWETHER_URL'] ?? site, token: env?.['BELLWETHER_TOKEN'] }));
}

/**
 * {@link Collector.recordMetric} of a collector that takes the gateway's address from `BELLWETHER_URL` (and a token from
 * `BELLWETHER_TOKEN`); in a page it is the page's own site, else `http://127.0.0.1:4000`.
 *
 * @example
 * import { recordMetric } from 'bellwether/collector';
 *
 * recordMetric('booking_response_time', 120);
 */
export const recordMetric: Collector['recordMetric'] = (...sample) => {
  try {
    defaultCollector().recordMetric(...sample);
  } catch (error) {
    warn({ code: 'bad_option', message: (error as Error).message, lost: 1 });
  }
};

/** {@link Collector.queryMetric} of the same collector as {@link recordMetric}'s. */
export const queryMetric = (async (name: string, query: any) => defaultCollector().queryMetric(name, query)) as Collector['queryMetric'];

function address(text: string): string {
  try {
    const { href, protocol } = new URL(text);
    if (protocol.startsWith('http')) return href.replace(/\/?([?#].*)?$/, '/');
  } catch {
    // Said below.
  }
  throw bad('url', text, 'give the gateway\'s address such as "http://127.0.0.1:4000"');
}

/** A name that no other collector has, so that its batches' numbers are its own. */
function uniqueName(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function warn({ code, message, lost }: Problem) {
  console.warn(`bellwether: ${message} (${code}${lost > 0 ? `; samples lost: ${lost}` : '; they will be sent again'})`);
}

/** Warns of the first problem of each code. */
function warnOnce(): (problem: Problem) => void {
  const told = new Set<string>();
  return (problem) => {
    if (!told.has(problem.code)) warn(problem);
    told.add(problem.code);
  };
}
