import type { ErrorCode } from './index.js';

/** Every error that Bellwether throws. */
export declare class BellwetherError extends Error {
  constructor(code: ErrorCode, message: string, options?: { cause?: unknown });
  readonly name: 'BellwetherError';
  /** What went wrong, for programs; the message is for people. */
  readonly code: ErrorCode;
}
