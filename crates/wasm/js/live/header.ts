// What a binary frame says of itself: the extension fields of its remote-write message, see docs/formats/live-feed.md.

/** What a binary frame says of itself. */
export interface Header {
  epoch: number;
  seq: number;
  /** Whether it belongs to the history that a subscription begins with. */
  history: boolean;
  /** Whether more of the same `seq` follows. */
  more: boolean;
}

const EPOCH = 1_000;
const SEQ = 1_001;
const HISTORY = 1_003;
const MORE = 1_005;

/** Reads the header. What is no such message has an odd one, and is for the engine to refuse. */
export function header(bytes: Uint8Array): Header {
  const fields: { [number: number]: number } = {};
  let at = 0;
  const varint = () => {
    let value = 0;
    // Below 2^53, as all numbers of the header are; what is longer is no header of ours.
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const wire = tag & 7;
    if (wire === 0) fields[tag >> 3] = varint();
    // The length comes first: `at` is read after it.
    else if (wire === 2) at = varint() + at;
    else at += wire === 1 ? 8 : 4;
  }
  return { epoch: fields[EPOCH] ?? 0, seq: fields[SEQ] ?? 0, history: !!fields[HISTORY], more: !!fields[MORE] };
}
