// How long something took, in milliseconds, as an observation.
import type { Labels } from '../index.js';
import type { Clock, SampleOptions } from './options.js';

type Record = (name: string, value: number, labels?: Labels, options?: SampleOptions) => void;

/** Starts a timer; calling what it gives records the milliseconds since and gives them. */
export type Timer = (name: string, labels?: Labels) => (labels?: Labels) => number;

/** Runs `work` and records how many milliseconds it took, also where it fails; a promise is waited for. */
export type Time = <Result>(name: string, work: () => Result, labels?: Labels) => Result;

export function timing(record: Record, clock: Clock): { timer: Timer; time: Time } {
  const timer: Timer = (name, labels) => {
    const start = clock.elapsed();
    return (more) => {
      const ms = clock.elapsed() - start;
      record(name, ms, { ...labels, ...more }, { unit: 'ms' });
      return ms;
    };
  };
  return {
    timer,
    time(name, work, labels) {
      const stop = timer(name, labels);
      let promised = false;
      try {
        const result = work();
        promised = typeof (result as { then?: unknown } | null | undefined)?.then === 'function';
        // The promise that is handed on, so that nobody's failure goes unseen.
        return promised ? (Promise.resolve(result).finally(stop) as typeof result) : result;
      } finally {
        if (!promised) stop();
      }
    },
  };
}
