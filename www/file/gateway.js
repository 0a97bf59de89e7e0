// What a gateway would send, made in the tab out of samples that are there already: the page takes it through the very path that a
// live feed takes. It looks like a WebSocket to whoever opens it.

/** Samples of one frame: a few hundred kilobytes at the most. */
const FRAME = 2_000;
/** What a WebSocket's `readyState` is while it is open, and after. */
const [OPEN, CLOSED] = [1, 3];
/** Lets the page paint and hear its reader. */
const breath = () => new Promise((resolve) => setTimeout(resolve));

/**
 * @typedef {import("./rows.js").Sample} Sample
 * @typedef {{ title: string, version: string, now: number, board: object, samples: Sample[] }} Source
 */

/** A feed of samples that are all there. */
export class TabGateway extends EventTarget {
  /** As a WebSocket that is open. */
  readyState = OPEN;
  binaryType = "arraybuffer";
  #source;
  /** The newest request of each subscription: an older one is not gone on with. */
  #newest = new Map();

  /** @param {Source} source */
  constructor(source) {
    super();
    this.#source = source;
    const { title, version, now, board } = source;
    // Whoever opens it listens from the next turn on.
    setTimeout(() => {
      this.dispatchEvent(new Event("open"));
      this.#say({
        type: "hello", protocol: "bellwether.v1", version, epoch: 1, seq: 1, now, title, demo: false, board,
        staleness_ms: 300_000,
      });
    });
  }

  #say(frame) {
    if (this.readyState === OPEN) this.dispatchEvent(new MessageEvent("message", { data: JSON.stringify(frame) }));
  }

  /** Takes what the page asks. */
  send(text) {
    const { type, id, metrics, resume, until } = JSON.parse(text);
    if (type === "subscribe") this.#fill(id, metrics, resume, until);
  }

  async #fill(id, metrics, resume, until) {
    const request = {};
    this.#newest.set(id, request);
    const { samples } = this.#source;
    // As of an instant of the past nothing is told of what came later.
    const now = Math.min(this.#source.now, until ?? Infinity);
    const header = { subscription: id, epoch: 1, seq: 1 };
    // There is nothing to go on with: all comes again.
    if (resume) this.#say({ type: "gap", subscription: id, from_seq: 0, to_seq: 1 });
    const from = new Map(metrics.map(({ name, range }) => [name, now - millis(range)]));
    for (let place = 0; place < samples.length; place += FRAME) {
      await breath();
      if (this.readyState !== OPEN) return;
      // Nobody waits for the rest, but each request is answered, before the one after it begins: whoever asks counts that.
      if (this.#newest.get(id) !== request) {
        this.#say({ type: "subscribed", id, epoch: 1, seq: 1, until: until && now });
        return;
      }
      const part = samples.slice(place, place + FRAME).filter(({ name, timestamp }) => timestamp > (from.get(name) ?? now) && timestamp <= now);
      if (part.length > 0) this.#say({ type: "samples", ...header, phase: "history", samples: part });
    }
    await breath();
    // The page's clock has gone on meanwhile: what is known ends where the samples do.
    this.#say({ type: "tick", now: this.#source.now, seq: 1 });
    this.#say({ type: "subscribed", id, epoch: 1, seq: 1, until: until && now });
  }

  /** Ends it; nothing more is said. */
  close() {
    this.readyState = CLOSED;
  }
}

/** A duration as frames write it, such as `1h30m`, in milliseconds; 0 where none is said. */
export function millis(text = "") {
  const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
  return [...text.matchAll(/(\d+)(ms|[smhdw])/g)].reduce((sum, [, count, unit]) => sum + Number(count) * units[unit], 0);
}
