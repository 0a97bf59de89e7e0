// Passes everything odd to every parameter; prints what came out besides answers and BellwetherErrors.
import { BellwetherError, Engine, Points, Sketch, Sketches, init } from 'bellwether';
import { createCollector } from 'bellwether/collector';
import { connect } from 'bellwether/live';

await init();

const throwing = new Proxy({}, {
  get() { throw new Error('get'); },
  ownKeys() { throw new Error('ownKeys'); },
});
const namedBadly = { get name() { throw new Error('name'); } };
const odd = [
  undefined, null, true, '', 'm', '\0', '\ud800', '5m', '1e9y', 'x'.repeat(100_000), 0, -0, -1, 0.5, 1e300, -1e300, 5e-324,
  Number.NaN, Infinity, -Infinity, Number.MAX_SAFE_INTEGER, 2 ** 53, 2 ** 63, 10n, Symbol('s'), () => 5, () => { throw new Error('call'); },
  [], [1], ['a:b'], [[]], [undefined], new Array(2 ** 32 - 1), {}, Object.create(null), { name: 'm' }, { toString() { throw new Error('toString'); } },
  namedBadly, throwing, new Date(), new Map([['a', 'b']]), new Float64Array(2), new Uint8Array(2),
  new Proxy({ a: 'b' }, {}), globalThis.Promise.resolve(1),
];
const found = [];
let refused = 0;
let answered = 0;
const attempt = (name, call) => {
  try {
    call();
    answered += 1;
  } catch (error) {
    if (error instanceof BellwetherError && typeof error.code === 'string') refused += 1;
    else found.push(`${name}: ${error}`);
  }
};

for (const clock of [() => 0, () => 1, () => 1_800_000_000_000, () => Number.MAX_SAFE_INTEGER]) {
  const engine = new Engine({ clock });
  const now = clock();
  for (const one of odd) {
    attempt('new', () => new Engine(one).free());
    for (const option of ['tiers', 'maxSeries', 'maxSeriesPerMetric', 'futureSkew', 'clock']) {
      attempt(`new ${option}`, () => {
        const own = new Engine({ [option]: one });
        try {
          own.record('m', 1);
        } finally {
          own.free();
        }
      });
    }
    attempt('record name', () => engine.record(one, 1));
    attempt('record value', () => engine.record('m', one));
    attempt('record options', () => engine.record('m', 1, one));
    for (const option of ['labels', 'timestamp', 'kind', 'unit']) {
      attempt(`record ${option}`, () => engine.record('m', 1, { [option]: one }));
    }
    attempt('record label', () => engine.record('m', 1, { labels: { a: one } }));
    attempt('columns', () => engine.recordColumns(one, Float64Array.of(now), Float64Array.of(1)));
    attempt('columns timestamps', () => engine.recordColumns('m', one, Float64Array.of(1)));
    attempt('columns values', () => engine.recordColumns('m', Float64Array.of(now), one));
    attempt('columns extremes', () => engine.recordColumns('m', Float64Array.of(one === 10n || typeof one === 'symbol' ? 0 : Number(typeof one === 'object' || typeof one === 'function' ? 0 : one)), Float64Array.of(1)));
    attempt('columns handles', () => engine.recordColumns(Uint32Array.of(0, 2 ** 32 - 1), Float64Array.of(now, now), Float64Array.of(1, 1)));
    attempt('series name', () => engine.series(one));
    attempt('series labels', () => engine.series('m', one));
    attempt('series label', () => engine.series('m', { a: one }));
    attempt('series declaration', () => engine.series('m', {}, one));
    attempt('table', () => engine.table(one).free());
    for (const option of ['name', 'window', 'aggs', 'by', 'where', 'across']) {
      attempt(`table ${option}`, () => {
        const table = engine.table({ name: 'm', window: '5m', aggs: ['avg', 'p99'], [option]: one });
        try {
          table.answer();
          table.answer(one);
        } finally {
          table.free();
        }
      });
    }
    attempt('table figure', () => engine.table({ name: 'm', window: '5m', aggs: [one] }).answer());
    attempt('range', () => engine.queryRange(one));
    for (const option of ['name', 'window', 'agg', 'by', 'where', 'across', 'from', 'to', 'columns', 'step']) {
      attempt(`range ${option}`, () => engine.queryRange({ name: 'm', window: '5m', agg: 'avg', from: 0, columns: 10, [option]: one }));
    }
    attempt('histogram', () => engine.histogram(one));
    for (const option of ['name', 'window', 'by', 'where', 'now', 'columns', 'rows']) {
      attempt(`histogram ${option}`, () => engine.histogram({ name: 'm', window: '5m', [option]: one }));
    }
    attempt('board', () => engine.setBoard(one));
    const board = {
      metrics: [{ name: 'm', kind: 'observation' }],
      kpis: [{ id: 'k', title: 'K', query: { metric: 'm', window: '5m', agg: 'avg' }, better: 'lower' }],
      rules: [{ name: 'R', query: { ratio: [{ metric: 'm', window: '5m', agg: 'avg' }, { metric: 'm', window: '5m', agg: 'max' }] }, is: '>', threshold: 0, severity: 'page' }],
    };
    for (const [list, [element]] of Object.entries(board)) {
      attempt(`board ${list}`, () => engine.setBoard({ ...board, [list]: one }));
      attempt(`board ${list} element`, () => engine.setBoard({ ...board, [list]: [one] }));
      for (const field of [...Object.keys(element), 'target', 'for', 'labels', 'no_data', 'unit', 'surplus']) {
        attempt(`board ${list} ${field}`, () => engine.setBoard({ ...board, [list]: [{ ...element, [field]: one }] }));
      }
    }
    attempt('board query', () => engine.setBoard({ ...board, rules: [{ ...board.rules[0], query: { ratio: [one, one] } }] }));
    attempt('whole board', () => engine.setBoard(board));
    for (const name of ['kpis', 'evaluate', 'scorecard']) {
      attempt(name, () => engine[name]());
      attempt(`${name} now`, () => engine[name](one));
    }
    attempt('onAlert', () => engine.onAlert(one)());
    attempt('restore', () => Engine.restore(one).free());
    attempt('query', () => engine.query(one));
    const query = { name: 'm', window: '5m', agg: 'avg' };
    for (const option of ['name', 'window', 'agg', 'by', 'where', 'across', 'now']) {
      attempt(`query ${option}`, () => engine.query({ ...query, [option]: one }));
    }
    attempt('query where label', () => engine.query({ ...query, where: { a: one } }));
    attempt('query where pattern', () => engine.query({ ...query, where: { a: { matches: one } } }));
  }
  const snapshot = engine.snapshot();
  for (let place = 0; place < snapshot.length; place += Math.ceil(snapshot.length / 50)) {
    attempt('snapshot cut off', () => Engine.restore(snapshot.subarray(0, place)).free());
    attempt('snapshot changed', () => Engine.restore(snapshot.map((byte, at) => (at === place ? byte ^ 1 : byte))).free());
  }
  // After all that the engine is whole.
  attempt('afterwards', () => {
    engine.record('afterwards', 1);
    const { result } = engine.query({ name: 'afterwards', window: '1m', agg: 'sum' });
    if (result !== 1) found.push(`afterwards: ${result} at ${now}`);
  });
}
const whole = new Sketch();
const gone = new Sketch();
gone.free();
const set = new Sketches(3);
const points = new Points();
for (const one of [...odd, gone, whole]) {
  attempt('sketch', () => new Sketch(one).free());
  attempt('sketch scale', () => new Sketch({ scale: one }).free());
  attempt('sketch record', () => whole.record(one));
  attempt('sketch recordAll', () => whole.recordAll(one));
  attempt('sketch merge', () => whole.merge(one));
  attempt('sketch quantile', () => whole.quantile(one));
  attempt('sketches', () => new Sketches(one).free());
  attempt('sketches options', () => new Sketches(1, one).free());
  attempt('sketches places', () => set.recordColumns(one, Float64Array.of(1, 2)));
  attempt('sketches values', () => set.recordColumns(Uint32Array.of(1, 2), one));
  attempt('sketches quantiles', () => set.quantiles(one));
  attempt('sketches at', () => set.at(one).free());
  attempt('points timestamps', () => points.extend(one, Float64Array.of(1, 2)));
  attempt('points values', () => points.extend(Float64Array.of(1, 2), one));
  for (const name of ['m4', 'minMaxLttb']) {
    attempt(`points ${name}`, () => points[name](one));
    attempt(`points ${name} from`, () => points[name](10, one));
    attempt(`points ${name} to`, () => points[name](10, 0, one));
  }
  attempt('points dropUntil', () => points.dropUntil(one));
}
for (const name of ['count', 'sum', 'mean', 'min', 'max', 'relativeError']) {
  attempt(`freed ${name}`, () => found.push(`a freed sketch has a ${name}: ${gone[name]}`));
}

class Silent {
  send() {}
  close() {}
}
// What an object throws when it is read is its owner's to hear; and four thousand million empty places take minutes.
for (const one of odd.filter((each) => each !== throwing && each !== namedBadly && (!Array.isArray(each) || each.length < 1e6))) {
  const settings = { subscribe: [], WebSocket: Silent };
  attempt('connect', () => connect('http://127.0.0.1:1', one).close());
  attempt('connect url', () => connect(one, settings).close());
  for (const option of ['subscribe', 'token', 'retryMs', 'retryMostMs', 'silenceMs', 'WebSocket']) {
    attempt(`connect ${option}`, () => connect('http://127.0.0.1:1', { ...settings, [option]: one }).close());
  }
  attempt('connect metric', () => connect('http://127.0.0.1:1', { ...settings, subscribe: [one] }).close());
  attempt('collector', () => void createCollector(one).close());
  for (const option of ['url', 'token', 'batchMs', 'batchSamples', 'queueBytes', 'retryMs', 'retryMostMs', 'timeoutMs']) {
    attempt(`collector ${option}`, () => void createCollector({ url: 'http://127.0.0.1:1', [option]: one }).close());
  }
}

console.log(JSON.stringify({ found: [...new Set(found)], refused, answered }));
