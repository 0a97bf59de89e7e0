// Those who want to be told of something.
import { bad } from './option.js';

type Listener<Told extends unknown[]> = (...told: Told) => void;

/**
 * Adds a listener; gives what ends that.
 *
 * @throws {BellwetherError} `bad_option` where it is no function.
 */
export function listen<Told extends unknown[]>(listeners: Set<Listener<Told>>, name: string, listener: Listener<Told>): () => void {
  if (typeof listener !== 'function') throw bad(name, listener, 'give a function');
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/**
 * Tells all of them, but for those that leave meanwhile. What one throws is reported as uncaught, as an event's would be:
 * the others are told all the same.
 */
export function tellAll<Told extends unknown[]>(listeners: Set<Listener<Told>> | undefined, ...told: Told): void {
  for (const listener of [...(listeners ?? [])]) {
    try {
      if (listeners?.has(listener)) listener(...told);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}
