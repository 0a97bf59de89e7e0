// Reads binary frames of a gateway's live feed into columns, without the engine: see docs/formats/live-feed.md.
import { BellwetherError } from './error.js';
import type { Kind, Labels } from './index.js';

export { BellwetherError };

/** One series of the frames. */
export interface FrameSeries {
  /** The metric. */
  name: string;
  labels: Labels;
  /** What its samples mean; `undefined` where no frame has said it. */
  kind: Kind | undefined;
}

/** What a frame brings, and what it says of itself. */
export interface FrameColumns {
  /** The gateway's stream: each start of a gateway has one of its own. */
  epoch: number;
  /** The newest batch that the frame takes into account. */
  seq: number;
  /** The subscription that it answers. */
  subscription: number;
  /** Whether it belongs to the history that a subscription begins with. */
  history: boolean;
  /** Whether more of the same `seq` follows. */
  more: boolean;
  /** The place of each sample's series among {@link FrameReader.series}. */
  series: Uint32Array;
  /** When each sample was taken, in milliseconds since 1970; within a series they ascend. */
  timestampsMs: Float64Array;
  /** The value of each sample. */
  values: Float64Array;
  /**
   * Number of time buckets of more than one sample, which only an engine can take (`Engine.mergeFrame`): those of a step
   * of `1s`, of older history, of a client that did not keep up, and of histograms that services send.
   */
  summaries: number;
}

/** Reads frame after frame. */
export interface FrameReader {
  /** All series that came so far, in the order in which they came; each keeps its place. */
  readonly series: readonly FrameSeries[];
  /**
   * The samples of a frame. Cost: linear in its bytes.
   *
   * @throws {BellwetherError} `bad_frame` where the bytes are no such frame.
   */
  read(frame: Uint8Array): FrameColumns;
}

/** Numbers of the fields that are read. */
const SYMBOLS = 4;
const TIMESERIES = 5;
const [EPOCH, SEQ, SUBSCRIPTION, HISTORY, MORE] = [1_000, 1_001, 1_002, 1_003, 1_005];
const [LABELS_REFS, SAMPLES, HISTOGRAMS, KIND] = [1, 2, 3, 1_000];
const [VALUE, TIMESTAMP] = [1, 2];
const KINDS: readonly Kind[] = ['observation', 'counter', 'gauge', 'event'];
const NAME = '__name__';

const bad = (why: string) => new BellwetherError('bad_frame', `read: ${why}`);

/** A walk over the fields of a message. */
class Fields {
  at = 0;
  end: number;
  readonly view: DataView;

  constructor(readonly bytes: Uint8Array) {
    this.end = bytes.length;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  varint(): number {
    const { bytes } = this;
    let byte = bytes[this.at++]!;
    let value = byte & 127;
    for (let factor = 128; byte > 127; factor *= 128) {
      byte = bytes[this.at++]!;
      value += (byte & 127) * factor;
    }
    if (this.at > this.end) throw bad('it ends in the middle of a field');
    return value;
  }

  /** The end of the field of bytes that begins here. */
  length(): number {
    const end = this.varint() + this.at;
    if (end > this.end) throw bad('it ends in the middle of a field');
    return end;
  }

  /** Goes past the value of a field that nothing is wanted of. */
  skip(wire: number): void {
    if (wire === 0) this.varint();
    else if (wire === 1) this.at += 8;
    else if (wire === 2) this.at = this.length();
    else if (wire === 5) this.at += 4;
    else throw bad('it is no message of protobuf');
  }
}

interface Way {
  next: Map<number, Way>;
  place: number | undefined;
}

type Room = Pick<FrameColumns, 'series' | 'timestampsMs' | 'values'>;

const roomFor = (samples: number): Room => ({
  series: new Uint32Array(samples),
  timestampsMs: new Float64Array(samples),
  values: new Float64Array(samples),
});

function larger({ series, timestampsMs, values }: Room): Room {
  const room = roomFor(2 * values.length);
  room.series.set(series);
  room.timestampsMs.set(timestampsMs);
  room.values.set(values);
  return room;
}

/**
 * A reader of the binary frames of one connection, for who keeps samples elsewhere than in an engine: such as the points
 * of a chart that follows a subscription with the step `"raw"`.
 *
 * @example
 * const reader = frameReader();
 * const socket = new WebSocket('ws://127.0.0.1:4000/ws', 'bellwether.v1');
 * socket.binaryType = 'arraybuffer';
 * socket.onopen = () => {
 *   const metrics = [{ name: 'booking_response_time' }];
 *   socket.send(JSON.stringify({ type: 'subscribe', id: 1, metrics, step: 'raw', format: 'binary' }));
 * };
 * socket.onmessage = ({ data: frame }) => {
 *   if (typeof frame === 'string') return;
 *   const { series, timestampsMs, values } = reader.read(new Uint8Array(frame));
 *   values.forEach((value, place) => console.log(reader.series[series[place]].name, timestampsMs[place], value));
 * };
 */
export function frameReader(): FrameReader {
  const all: FrameSeries[] = [];
  /** A number for each text, and a way through those of a series' names and values to its place. */
  const numbers = new Map<string, number>();
  const root: Way = { next: new Map(), place: undefined };
  const decoder = new TextDecoder('utf-8', { fatal: true });
  /** Where the samples of a frame are gathered; it is kept for the next one. */
  let room = roomFor(512);

  const numberOf = (text: string) => {
    let number = numbers.get(text);
    if (number === undefined) numbers.set(text, (number = numbers.size));
    return number;
  };
  /** Puts the series with these names and values, the metric's among them, behind the others. */
  const add = (texts: readonly string[], kind: Kind | undefined) => {
    const pairs: [string, string][] = [];
    let name: string | undefined;
    for (let place = 0; place + 1 < texts.length; place += 2) {
      if (texts[place] === NAME) name = texts[place + 1];
      else pairs.push([texts[place]!, texts[place + 1]!]);
    }
    if (name === undefined || texts.length % 2 > 0) throw bad('a series has no name');
    return all.push({ name, labels: Object.fromEntries(pairs), kind }) - 1;
  };

  const read = (frame: Uint8Array): FrameColumns => {
    if (!(frame instanceof Uint8Array)) throw bad('give the frame\'s bytes as a Uint8Array');
    const fields = new Fields(frame);
    const header = new Map<number, number>();
    const symbols: string[] = [];
    const symbolNumbers: number[] = [];
    /** Where each series begins and ends: its texts may stand behind it. */
    const found: number[] = [];
    while (fields.at < frame.length) {
      const tag = fields.varint();
      const wire = tag % 8;
      const number = (tag - wire) / 8;
      if (wire === 2 && (number === SYMBOLS || number === TIMESERIES)) {
        const end = fields.length();
        if (number === TIMESERIES) found.push(fields.at, end);
        else {
          const text = textOf(frame.subarray(fields.at, end));
          symbols.push(text);
          symbolNumbers.push(numberOf(text));
        }
        fields.at = end;
      } else if (wire === 0) header.set(number, fields.varint());
      else fields.skip(wire);
    }
    if (fields.at > frame.length) throw bad('it ends in the middle of a field');

    const refs: number[] = [];
    let samples = 0;
    let summaries = 0;
    for (let one = 0; one < found.length; one += 2) {
      const first = samples;
      let way = root;
      refs.length = 0;
      let kind: Kind | undefined;
      fields.at = found[one]!;
      fields.end = found[one + 1]!;
      const { end } = fields;
      while (fields.at < end) {
        const tag = fields.varint();
        if (tag === SAMPLES * 8 + 2) {
          const sampleEnd = fields.length();
          let value = 0;
          let timestamp = 0;
          while (fields.at < sampleEnd) {
            const field = fields.varint();
            if (field === VALUE * 8 + 1 && fields.at + 8 <= sampleEnd) {
              value = fields.view.getFloat64(fields.at, true);
              fields.at += 8;
            } else if (field === TIMESTAMP * 8) timestamp = fields.varint();
            else fields.skip(field % 8);
          }
          if (samples === room.values.length) room = larger(room);
          room.timestampsMs[samples] = timestamp;
          room.values[samples] = value;
          samples += 1;
        } else if (tag === LABELS_REFS * 8 + 2) {
          const refsEnd = fields.length();
          while (fields.at < refsEnd) {
            const ref = fields.varint();
            const number = symbolNumbers[ref];
            if (number === undefined) throw bad('a series has a text that is not there');
            refs.push(ref);
            let next = way.next.get(number);
            if (next === undefined) way.next.set(number, (next = { next: new Map(), place: undefined }));
            way = next;
          }
        } else if (tag === KIND * 8) kind = KINDS[fields.varint()];
        else {
          if (tag === HISTOGRAMS * 8 + 2) summaries += 1;
          fields.skip(tag % 8);
        }
      }
      if (fields.at > end) throw bad('it ends in the middle of a field');
      way.place ??= add(refs.map((ref) => symbols[ref]!), kind);
      room.series.fill(way.place, first, samples);
    }
    const number = (field: number) => header.get(field) ?? 0;
    return {
      epoch: number(EPOCH),
      seq: number(SEQ),
      subscription: number(SUBSCRIPTION),
      history: number(HISTORY) > 0,
      more: number(MORE) > 0,
      series: room.series.slice(0, samples),
      timestampsMs: room.timestampsMs.slice(0, samples),
      values: room.values.slice(0, samples),
      summaries,
    };
  };
  const textOf = (bytes: Uint8Array) => {
    try {
      return decoder.decode(bytes);
    } catch {
      throw bad('a text is not UTF-8');
    }
  };
  return { series: all, read };
}
