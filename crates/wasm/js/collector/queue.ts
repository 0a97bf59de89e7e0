// The samples that wait to be sent, within a bound.

const encoder = new TextEncoder();

/** Most bytes of one sample: 30 labels of ordinary length fit many times over, and it fits any batch. */
const SAMPLE_BYTES = 16 * 1024;

export interface Queue {
  /** How many samples wait. */
  readonly length: number;
  /** Adds a sample; gives how many of the oldest had to go for it, or -1 where it is too long to be kept at all. */
  push(json: string): number;
  /** Takes the oldest, at most so many and, as an array of JSON, at most so many bytes. */
  take(samples: number, bytes: number): string[];
}

/** An empty queue that holds at most `most` bytes. */
export function queue(most: number): Queue {
  let waiting: { json: string; bytes: number }[] = [];
  // What lies before is taken already; the array is cut only now and then, so that taking stays cheap.
  let first = 0;
  let held = 0;
  const next = () => {
    const sample = waiting[first++]!;
    held -= sample.bytes;
    if (first > 1_000 && first * 2 > waiting.length) {
      waiting = waiting.slice(first);
      first = 0;
    }
    return sample;
  };
  return {
    get length() {
      return waiting.length - first;
    },
    push(json) {
      // With the comma or bracket that stands behind it.
      const bytes = encoder.encode(json).length + 1;
      if (bytes > Math.min(SAMPLE_BYTES, most)) return -1;
      waiting.push({ json, bytes });
      held += bytes;
      let dropped = 0;
      while (held > most) {
        next();
        dropped += 1;
      }
      return dropped;
    },
    take(samples, bytes) {
      const taken: string[] = [];
      let length = 1;
      while (first < waiting.length && taken.length < samples && length + waiting[first]!.bytes <= bytes) {
        const { json, bytes: own } = next();
        taken.push(json);
        length += own;
      }
      return taken;
    },
  };
}
