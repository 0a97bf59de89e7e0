// What is wrong with an option is said at once, and not by a collector or client that does odd things.
import { BellwetherError } from './error.js';

/** The longest that a timer can wait, in ms, about 24 days: one that is set to more ends at once. */
export const LONGEST_MS = 2 ** 31 - 1;

/** The error of an option; `how` says how to mend it. */
export function bad(name: string, value: unknown, how: string): BellwetherError {
  // Objects may throw, or take a gigabyte, when they are made text.
  return new BellwetherError('bad_option', `\`${name}\` is ${Object(value) === value ? 'an object' : String(value)}; ${how}`);
}

/**
 * Checks that each of `options` is above 0 and at most `most`.
 *
 * @throws {BellwetherError} `bad_option`
 */
export function checkPositive(options: { readonly [name: string]: unknown }, most: number): void {
  for (const [name, value] of Object.entries(options)) {
    if (!(typeof value === 'number' && value > 0 && value <= most)) throw bad(name, value, `give a number above 0, at most ${most}`);
  }
}
