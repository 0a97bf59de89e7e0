// What a binary frame says of itself: the extension fields of its remote-write message, see docs/formats/live-feed.md.

/** What a binary frame says of itself. */
export interface Header {
  epoch: number;
  seq: number;
  subscription: number;
  /** Whether it belongs to the history that a subscription begins with. */
  history: boolean;
  /** Whether more of the same `seq` follows. */
  more: boolean;
}

const EPOCH = 1_000;
const SEQ = 1_001;
const SUBSCRIPTION = 1_002;
const HISTORY = 1_003;
const MORE = 1_005;

/** Reads the header; `undefined` where the bytes are no such message. */
export function header(bytes: Uint8Array): Header | undefined {
  const fields = new Map<number, number>();
  let at = 0;
  const varint = () => {
    let value = 0;
    // Below 2^53, as all numbers of the header are; what is longer is no header of ours and skipped with the rest.
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at] ?? 0;
      at += 1;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const wire = tag % 8;
    if (wire === 0) fields.set(Math.floor(tag / 8), varint());
    else if (wire === 2) {
      const length = varint();
      at += length;
    } else if (wire === 1) at += 8;
    else if (wire === 5) at += 4;
    else return undefined;
  }
  if (at > bytes.length) return undefined;
  const field = (number: number) => fields.get(number) ?? 0;
  return {
    epoch: field(EPOCH),
    seq: field(SEQ),
    subscription: field(SUBSCRIPTION),
    history: field(HISTORY) !== 0,
    more: field(MORE) !== 0,
  };
}
