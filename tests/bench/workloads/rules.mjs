// 1,000 alert rules, each over one of 10,000 series, evaluated at each second while samples come in.
import { START_MS } from '../lib/generate.mjs';
import { median } from '../lib/measure.mjs';
import { Engine } from '../adapter.mjs';

export function run(_, { series, rules, seconds }) {
  let now = START_MS;
  const engine = new Engine({ clock: () => now });
  const handles = Uint32Array.from({ length: series }, (_, place) => engine.series('load', { host: `host-${place}` }));
  engine.setBoard({
    rules: Array.from({ length: rules }, (_, place) => ({
      name: `High${place}`,
      query: { metric: 'load', window: '5m', agg: 'avg', where: { host: `host-${place}` } },
      is: '>',
      threshold: 0.5,
      for: '10s',
      severity: 'ticket',
    })),
  });
  const times = [];
  let fired = 0;
  for (let second = 0; second < seconds; second += 1) {
    now += 1000;
    // Every second host is over the threshold.
    engine.recordColumns(handles, new Float64Array(series).fill(now), Float64Array.from(handles, (place) => place % 2));
    const start = performance.now();
    const { transitions, failures } = engine.evaluate();
    times.push(performance.now() - start);
    if (failures.length > 0) throw new Error(failures[0]);
    fired += transitions.filter(({ to }) => to === 'firing').length;
  }
  // The first half is not counted: the code is still being compiled, and the windows are still short.
  return { ms: median(times.slice(seconds >> 1)), longestMs: Math.max(...times.slice(seconds >> 1)), fired, rules };
}
