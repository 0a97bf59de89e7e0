// Compiled, never run: a user of the reader of frames.
import type { Kind } from 'bellwether';
import { BellwetherError, frameReader, type FrameColumns, type FrameReader, type FrameSeries } from 'bellwether/frame';

const reader: FrameReader = frameReader();
const { series, timestampsMs, values, more }: FrameColumns = reader.read(new Uint8Array(8));
const first: FrameSeries | undefined = reader.series[series[0] ?? 0];
const kind: Kind | undefined = first?.kind;
const route: string | undefined = first?.labels['route'];
const sample: [number | undefined, number | undefined] = [timestampsMs[0], values[0]];
// @ts-expect-error bytes are needed
reader.read('text');
export { BellwetherError, kind, more, route, sample };
