// What the page of `consumers/page` shows where the package works.
import assert from 'node:assert/strict';
import { openPage } from '../../browser/support/chromium.mjs';

/** Opens the page at `url` and checks that it and its worker compute the same figures, and that nothing went wrong. */
export async function assertComputes(browser, url) {
  const { page, context, watch } = await openPage(browser, { allowed: [new URL(url).origin] });
  await page.goto(url);
  for (const place of ['#page', '#worker']) {
    const text = page.locator(place, { hasText: 'samples' });
    await text.waitFor();
    assert.equal(await text.textContent(), '9 samples, average 5, true: too_late');
  }
  watch.check();
  await context.close();
}
