import { BellwetherError, Engine, init } from 'bellwether';

/** How many samples a window holds, their average, and the code of a refusal, as one line of text. */
export async function figure() {
  await init();
  const engine = new Engine();
  for (let value = 1; value <= 9; value += 1) engine.record('m', value);
  const { result, count } = engine.query({ name: 'm', window: '1m', agg: 'avg' });
  try {
    engine.record('m', 1, { timestamp: 1 });
  } catch (error) {
    return `${count} samples, average ${result}, ${error instanceof BellwetherError}: ${error.code}`;
  }
}
