/** Every error that Bellwether throws; `code` is stable, the message is for people. */
export class BellwetherError extends Error {
  constructor(code, message, options) {
    super(message, options);
    this.name = 'BellwetherError';
    this.code = code;
  }
}
