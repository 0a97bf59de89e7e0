// What a reader finds on the overview.

/** The KPI card called `id`. */
export const card = (page, id) => page.locator(`[data-kpi="${id}"]`);

/** The text of a KPI's figure, unit and all. */
export const figure = (page, id) => card(page, id).locator('.figure-value').innerText();

/** The banner of the rule called `name`. */
export const banner = (page, name) => page.locator(`[data-alert="${name}"]`);

/** Waits until the page says that it is live. */
export const live = (page) => page.locator('[data-connection]', { hasText: 'Live' }).waitFor();

/** Waits until the KPI's figure satisfies `holds`. */
export async function figureIs(page, id, holds, what) {
  const end = performance.now() + 15_000;
  let text = '';
  while (performance.now() < end) {
    text = await figure(page, id).catch(() => '');
    if (holds(text)) return text;
    await page.evaluate(() => new Promise(requestAnimationFrame));
  }
  throw new Error(`waited in vain until ${id} shows ${what}; it shows "${text}"`);
}

/** Opens the table behind a panel and gives its rows, each a list of texts. */
export async function table(page, panel) {
  const behind = page.locator(`[data-panel="${panel}"] details`);
  if (!(await behind.evaluate((details) => details.open))) await behind.locator('summary').click();
  await behind.locator('table').waitFor();
  return behind.locator('tbody tr').evaluateAll((rows) => rows.map((row) => [...row.cells].map((cell) => cell.innerText)));
}

/** The links from view to view. */
export const views = (page) => page.getByRole('navigation', { name: 'Views' });

/** The heading of a view. */
export const heading = (page, text) => page.locator('h2#view', { hasText: text });

/** The rows of the table called `title`, each a list of texts. */
export async function rows(page, title) {
  const table = page.getByRole('region', { name: `${title}, table` });
  await table.waitFor();
  return table.locator('tbody tr').evaluateAll((found) => found.map((row) => [...row.cells].map((cell) => cell.textContent)));
}

/** What the page asks of the site from now on, but for code that it fetches ahead while the browser is idle. */
export function asked(page) {
  const paths = [];
  page.on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (!pathname.startsWith('/chunks/')) paths.push(pathname);
  });
  return paths;
}
