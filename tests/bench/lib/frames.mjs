// Binary frames of the live feed, as the gateway sends them: see docs/formats/live-feed.md.

/** Bytes that grow. */
function writer() {
  let bytes = new Uint8Array(256);
  let length = 0;
  const room = (more) => {
    if (length + more <= bytes.length) return;
    const larger = new Uint8Array(2 * (length + more));
    larger.set(bytes);
    bytes = larger;
  };
  const varint = (value) => {
    room(10);
    for (; value > 127; value = Math.floor(value / 128)) bytes[length++] = (value % 128) + 128;
    bytes[length++] = value;
  };
  return {
    varint,
    /** A field of text, bytes or a message. */
    put(field, content) {
      varint(field * 8 + 2);
      varint(content.length);
      room(content.length);
      bytes.set(content, length);
      length += content.length;
    },
    number(field, value) {
      varint(field * 8);
      varint(value);
    },
    double(field, value) {
      varint(field * 8 + 1);
      room(8);
      new DataView(bytes.buffer).setFloat64(length, value, true);
      length += 8;
    },
    bytes: () => bytes.slice(0, length),
  };
}

const text = new TextEncoder();

/**
 * A frame with the samples of `seriesIds`, `ts` (whole milliseconds) and `values`, one series after the other;
 * `seriesOf(id)` gives name and labels.
 */
export function binaryFrame({ seriesIds, ts, values }, seriesOf) {
  const samplesOf = new Map();
  seriesIds.forEach((id, place) => (samplesOf.get(id) ?? samplesOf.set(id, []).get(id)).push(place));
  const symbols = new Map([['', 0]]);
  const symbol = (word) => symbols.get(word) ?? symbols.set(word, symbols.size).get(word);
  const all = [];
  for (const [id, places] of samplesOf) {
    const { name, labels } = seriesOf(id);
    const one = writer();
    const references = writer();
    const pairs = Object.entries({ __name__: name, ...labels }).sort(([a], [b]) => (a < b ? -1 : 1));
    for (const word of pairs.flat()) references.varint(symbol(word));
    one.put(1, references.bytes());
    for (const place of places) {
      const sample = writer();
      sample.double(1, values[place]);
      sample.number(2, ts[place]);
      one.put(2, sample.bytes());
    }
    one.number(1_000, 0);
    all.push(one.bytes());
  }
  const frame = writer();
  for (const word of symbols.keys()) frame.put(4, text.encode(word));
  for (const one of all) frame.put(5, one);
  for (const [field, value] of [[1_000, 1], [1_001, 1], [1_002, 1]]) frame.number(field, value);
  return frame.bytes();
}

const ROUTES = ['login', 'cart', 'search', 'product', 'pay', 'user', 'feed', 'image', 'push', 'stat'];

/** Name and labels of each of 100 series. */
export const seriesOf = (id) => ({
  name: 'http_request_duration_ms',
  labels: { host: `web-${(Math.floor(id / 10) % 10) + 1}`, route: `/api/${ROUTES[id % 10]}`, method: id % 2 ? 'GET' : 'POST' },
});
