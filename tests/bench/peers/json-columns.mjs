// The same as JSON in columns, with each series named once a frame.
import { seriesOf } from '../lib/frames.mjs';

export const encode = ({ seriesIds, ts, values }) => {
  const own = [...new Set(seriesIds)];
  const places = new Map(own.map((id, place) => [id, place]));
  return JSON.stringify({ names: own.map(seriesOf), series: Array.from(seriesIds, (id) => places.get(id)), timestamps: [...ts], values: [...values] });
};

export function decoder(sink) {
  return (frame) => {
    const { names, series, timestamps, values } = JSON.parse(frame);
    const numbers = names.map(({ name, labels }) => sink.numberOf(name, labels));
    for (let place = 0; place < values.length; place += 1) {
      sink.series[sink.length] = numbers[series[place]];
      sink.timestampsMs[sink.length] = timestamps[place];
      sink.values[sink.length] = values[place];
      sink.length += 1;
    }
  };
}
