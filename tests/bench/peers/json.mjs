// The objects of `/ingest` as JSON: what everybody starts with.
import { seriesOf } from '../lib/frames.mjs';

export const encode = ({ seriesIds, ts, values }) =>
  JSON.stringify(Array.from(values, (value, place) => ({ ...seriesOf(seriesIds[place]), value, timestamp: ts[place] })));

export function decoder(sink) {
  return (frame) => {
    for (const { name, labels, value, timestamp } of JSON.parse(frame)) {
      sink.series[sink.length] = sink.numberOf(name, labels);
      sink.timestampsMs[sink.length] = timestamp;
      sink.values[sink.length] = value;
      sink.length += 1;
    }
  };
}
