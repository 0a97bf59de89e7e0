// A series that is recorded again: what is passed over the second time must be judged as it was the first time.
import { Engine, init } from 'bellwether';

await init();
const now = 1_800_000_000_000;
const engine = new Engine({ clock: () => now });
const code = (...sample) => {
  try {
    engine.record(...sample);
    return 'recorded';
  } catch (error) {
    return error.code;
  }
};
const count = (name, where, at = now) => engine.query({ name, window: '5m', agg: 'count', where, now: at }).result;

const labels = { route: '/', method: 'GET' };
const twice = (...sample) => [code(...sample), code(...sample)];
const said = {
  same: [twice('m', 1), twice('m', 1, {}), twice('m', 1, { labels: null }), twice('m', 1, { labels }), twice('m', 1, { labels: { method: 'GET', route: '/' } })],
  // Neither is the other, though their letters are the same.
  alike: [twice('n', 1, { labels: { a: 'b', c: 'd' } }), twice('n', 1, { labels: { a: 'b1:c1:d' } }), twice('n1:a', 1)],
  refused: [
    ['m', Number.NaN], ['m', '1'], ['m', 1, { timestamp: -1 }], ['m', 1, { timestamp: 1.5 }], ['m', 1, { timestamp: Number.NaN }],
    ['m', 1, { timestamp: now + 86_400_000 }], ['m', 1, { timestamp: 0 }], ['m', 1, { label: labels }], ['m', 1, { labels: { route: 1 } }],
    ['m', 1, { kind: 'gauge' }], ['m', 1, { kind: 'observations' }], [['m'], 1],
  ].map((sample) => twice(...sample)),
  units: [twice('u', 1, { unit: 'ms' }), twice('u', 1, { unit: 's' }), twice('u', 1)],
};
engine.record('t', 1);
engine.record('t', 1, { timestamp: now - 60_000 });
engine.record('t', 1, { timestamp: null });
said.at = count('t', undefined, now - 60_000);
said.board = [code('u', 1, { unit: 'ms' })];
engine.setBoard({ metrics: [{ name: 'u', kind: 'observation', unit: 's' }] });
said.board.push(code('u', 1, { unit: 'ms' }), code('u', 1, { unit: 's' }));
said.counts = [count('m'), count('m', { route: '/' }), count('n', { a: 'b' }), count('n', { a: 'b1:c1:d' }), count('n1:a'), count('t')];
// More series than handles are kept of, and all of them anew.
const many = new Engine({ clock: () => now, maxSeries: 200_000, maxSeriesPerMetric: 200_000 });
for (let round = 0; round < 2; round += 1) {
  for (let place = 0; place < 100_001; place += 1) many.record('wide', place, { labels: { host: String(place) } });
}
said.many = [many.memory().series, many.query({ name: 'wide', window: '5m', agg: 'count' }).result];
many.free();
engine.free();
said.freed = code('m', 1);
console.log(JSON.stringify(said));
