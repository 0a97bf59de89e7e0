// Bellwether's frames of the live feed, read into columns by `bellwether/frame`.
import { frameReader, meta } from '../adapter.mjs';
import { binaryFrame, seriesOf } from '../lib/frames.mjs';

export { meta };

export const encode = (frame) => binaryFrame(frame, seriesOf);

export function decoder(sink) {
  const reader = frameReader();
  const numbers = [];
  return (frame) => {
    const { series, timestampsMs, values } = reader.read(frame);
    while (numbers.length < reader.series.length) {
      const { name, labels } = reader.series[numbers.length];
      numbers.push(sink.numberOf(name, labels));
    }
    for (let place = 0; place < series.length; place += 1) sink.series[sink.length + place] = numbers[series[place]];
    sink.timestampsMs.set(timestampsMs, sink.length);
    sink.values.set(values, sink.length);
    sink.length += values.length;
  };
}
