// What a collector can be told, and what it says of itself.
import type { Kind, Labels, TimestampMs } from '../index.js';
import { LONGEST_MS } from '../option.js';

/** Settings of a collector. Only `url` is needed. */
export interface CollectorOptions {
  /** The gateway's address, such as `"https://metrics.example.org"`; a path below it is kept. */
  url: string;
  /** Sent as `Authorization: Bearer …` with every request; never put into the address. */
  token?: string | undefined;
  /** Labels that every sample gets, such as `{ service: 'booking' }`; a sample's own ones count more. */
  labels?: Labels | undefined;
  /** How long samples wait for others at the most, in ms; 1,000 by default. */
  batchMs?: number | undefined;
  /** Samples that are sent together at the most, 1 to 10,000; as soon as so many wait, they are sent. 1,000 by default. */
  batchSamples?: number | undefined;
  /**
   * How many bytes of samples (as JSON) may wait; 8 MiB by default, about 80,000 samples. Beyond that **the oldest
   * waiting samples are dropped** and counted: after a long outage the newest are what matters.
   */
  queueBytes?: number | undefined;
  /** How long one request may take, in ms; 15,000 by default. */
  timeoutMs?: number | undefined;
  /** How long to wait before the first repetition, in ms; 500 by default. It doubles each time. */
  retryMs?: number | undefined;
  /** The longest wait between repetitions, in ms, unless the gateway asks for more; 30,000 by default. */
  retryMostMs?: number | undefined;
  /**
   * Told of what went wrong; what it throws is ignored. By default the first problem of each code is written to the
   * console as a warning.
   */
  onProblem?: ((problem: Problem) => void) | undefined;
  /** The platform's clock by default. */
  clock?: Clock | undefined;
  /** The platform's `fetch` by default. */
  fetch?: Fetch | undefined;
  /** Gives a number in [0, 1) for the jitter; `Math.random` by default. */
  random?: (() => number) | undefined;
}

/** Something that went wrong: samples that are lost, or a batch that has to be sent again. */
export interface Problem {
  /**
   * For programs: a code of the gateway, `unreachable`, `timed_out`, `no_gateway` (something else answered),
   * `not_json` (a sample that JSON cannot hold), `too_long` (a sample of more than 16 KiB), `queue_full` or `closed`.
   */
  code: string;
  /** For people. */
  message: string;
  /** How many samples it lost for good; 0 where the batch will be sent again. */
  lost: number;
}

/**
 * What became of the samples. At each moment
 * `recorded === stored + rejected + dropped + waiting`.
 */
export interface Counters {
  /** All that were given to the collector. */
  recorded: number;
  /** Those that the gateway has on disk. */
  stored: number;
  /** Those that the gateway refused for good, or that no gateway could take. */
  rejected: number;
  /** Those that had no place in the queue, or were left when the collector closed. */
  dropped: number;
  /** Those that wait or are on their way. */
  waiting: number;
  /** How often a batch was sent again. */
  retries: number;
}

/** What can be said of a sample besides its value and labels. */
export interface SampleOptions {
  /** When it was taken; now by default. */
  timestamp?: TimestampMs | undefined;
  /** What the metric's samples mean; another kind than the one known is refused. */
  kind?: Kind | undefined;
  /** Unit of the value, such as `"ms"`. */
  unit?: string | undefined;
  /** The case or request that the sample belongs to; kept with it, never a label. */
  ref?: string | undefined;
}

/** Where a collector gets its time from. */
export interface Clock {
  /** Milliseconds since 1970, UTC: the timestamps of samples. */
  now(): TimestampMs;
  /** Milliseconds that never go back: how long something took. */
  elapsed(): number;
  /** Calls `then` after `ms`; gives what calls that off. It must not keep a process alive. */
  after(ms: number, then: () => void): () => void;
}

/** The part of `fetch` that a collector uses. */
export type Fetch = (
  url: string,
  init: {
    method: string;
    headers: { [name: string]: string };
    body?: string;
    keepalive?: boolean;
    redirect: 'error';
    signal: AbortSignalLike;
  },
) => Promise<{ status: number; headers: { get(name: string): string | null }; text(): Promise<string> }>;

/** What `AbortController` makes; not every project has the types of the DOM. */
export type AbortSignalLike = typeof globalThis extends { AbortSignal: { prototype: infer Signal } } ? Signal : never;

export const platformClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after(ms, then) {
    // A half may come on top of the longest wait.
    const timer: unknown = setTimeout(then, Math.min(ms, LONGEST_MS));
    (timer as { unref?(): void }).unref?.();
    return () => clearTimeout(timer as number);
  },
};
