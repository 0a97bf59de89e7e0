// What WCAG 2.2 AA asks and a machine can see.
import assert from 'node:assert/strict';
import { AxeBuilder } from '@axe-core/playwright';

/** Fails where axe finds a fault, or where something sticks out at the side. */
export async function accessible(page, what) {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    .analyze();
  const said = violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.html).join(' | ')}`);
  assert.deepEqual(said, [], what);
  const hidden = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(hidden <= 0, `${what}: nothing sticks out at the side (${hidden} px)`);
}

/** Each theme with each size, for tests of how a view looks. */
export const looks = ['light', 'dark'].flatMap((colorScheme) =>
  [{ width: 1440, height: 900 }, { width: 360, height: 800 }].map((viewport) => ({ colorScheme, viewport })),
);
