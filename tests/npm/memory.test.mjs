// Memory does not grow with use: neither the engine's nor JavaScript's own.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { project } from './support/project.mjs';

/** What garbage collections and allocators may leave behind by chance, in bytes: a leak of one byte a call is more. */
const CHANCE = 1_000_000;

let consumer;
before(async () => {
  consumer = await project('memory');
});
after(() => consumer?.remove());

async function printed(...parameters) {
  const { stdout } = await consumer.node('--expose-gc', ...parameters);
  return JSON.parse(stdout);
}

/** The first rounds fill what is kept; from then on nothing may come on top. */
function steady(t, held) {
  const [from, to] = [held[Math.floor(held.length / 3)], held.at(-1)];
  t.diagnostic(`after a third, and at the end: ${JSON.stringify([from, to])}`);
  for (const memory of ['wasm', 'heap']) {
    const grown = to[memory] - from[memory];
    assert.ok(grown < CHANCE, `the memory of ${memory} grew by ${grown} bytes`);
  }
}

// In its long form (`cargo xtask soak`) ten million calls.
const CALLS = process.env.BELLWETHER_SOAK ? 10_000_000 : 2_000_000;

test(`${CALLS / 1_000_000} million calls of one engine`, async (t) => {
  const { held, answers } = await printed('calls.mjs', String(CALLS / 10));
  assert.equal(answers, CALLS / 100);
  steady(t, held);
});

const ENGINES = 2_000;
for (const end of ['free', 'forget']) {
  test(`${CALLS / 1_000_000} million calls of ${ENGINES} engines, and ${end} each`, async (t) => {
    const { held, answers } = await printed('engines.mjs', end, String(CALLS / ENGINES));
    assert.equal(answers, CALLS / 100);
    steady(t, held);
  });
}

test('the wasm memory grows in few steps', async () => {
  const { sizes } = await printed('steps.mjs');
  assert.ok(sizes.length > 3, `${sizes}`);
  for (const [place, size] of sizes.slice(1).entries()) assert.ok(size - sizes[place] >= 1 << 20, `${sizes}`);
});
