// The board of a file: what its columns are shown as. Pure, without a page.
import { CASES } from "./rows.js";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How far the page's engine looks back: older samples are not given to it. */
export const REACH = 90 * DAY;
/** Most metrics with a card and a chart; *Explore* has all of them. */
export const MOST_SHOWN = 12;

/** By how long the file goes, which is less than the window, for that begins after its left edge: the page's window, that of the cards, and how far each point of a chart looks back. */
const STEPS = [
  { upTo: 5 * MINUTE, page: "5m", card: "5m", point: "1m" },
  { upTo: 15 * MINUTE, page: "15m", card: "5m", point: "1m" },
  { upTo: HOUR, page: "1h", card: "1h", point: "5m" },
  { upTo: DAY, page: "24h", card: "24h", point: "1h" },
  { upTo: 7 * DAY, page: "7d", card: "7d", point: "1d" },
  { upTo: Infinity, page: "90d", card: "30d", point: "7d" },
];

/** @typedef {"avg" | "sum" | "last"} Figure */

/** Samples that are looked at, sorted or joined at a time: a few milliseconds of work. */
const PIECE = 50_000;

/** Hands a list on piece by piece; between two of them the page goes on. */
async function piecewise(list, breath, take) {
  for (let place = 0; place < list.length; place += PIECE) {
    if (place > 0) await breath();
    take(list.slice(place, place + PIECE));
  }
}

/** Two lists in the order of time as one; of one time the first list's come first. */
async function merged(one, other, breath) {
  const all = [];
  let [left, right] = [0, 0];
  while (left < one.length || right < other.length) {
    const isFirst = right >= other.length || (left < one.length && one[left].timestamp <= other[right].timestamp);
    all.push(isFirst ? one[left++] : other[right++]);
    if (all.length % PIECE === 0) await breath();
  }
  return all;
}

/**
 * The samples that the page can show, sorted by time, and what they come to. A long file is taken piece by piece, so that the
 * page answers meanwhile.
 *
 * @param {import("./rows.js").Sample[]} samples
 * @param {() => Promise<unknown>} breath lets the page go on
 */
export async function survey(samples, breath) {
  let newest = -Infinity;
  await piecewise(samples, breath, (piece) => { for (const { timestamp } of piece) newest = Math.max(newest, timestamp); });
  // On a whole second, for that is what the page says.
  const now = Math.ceil(newest / SECOND) * SECOND;
  let runs = [];
  const metrics = new Map();
  const series = new Map();
  await piecewise(samples, breath, (piece) => {
    const kept = piece.filter(({ timestamp }) => timestamp > now - REACH);
    for (const { name, labels } of kept) {
      metrics.set(name, (metrics.get(name) ?? 0) + 1);
      if (!series.has(name)) series.set(name, new Set());
      series.get(name).add(Object.entries(labels).join("\u0000"));
    }
    runs.push(kept.sort((one, other) => one.timestamp - other.timestamp));
  });
  while (runs.length > 1) {
    const longer = [];
    for (let place = 0; place < runs.length; place += 2) longer.push(await merged(runs[place], runs[place + 1] ?? [], breath));
    runs = longer;
  }
  const [kept = []] = runs;
  return { now, kept, older: samples.length - kept.length, metrics, series, oldest: kept[0]?.timestamp ?? now };
}

/**
 * The board, and the window that shows all of it.
 *
 * @param {{ now: number, oldest: number, metrics: Map<string, number> }} found
 * @param {{ shape: import("./rows.js").Shape, title: string, label: string | undefined, figure: Figure, better: "lower" | "higher", target: number | undefined, words: Record<string, string> }} choice
 *   `label` is the head of the column that charts are told apart by; `words` are titles.
 */
export function boardOf(found, choice) {
  const { page, card, point } = STEPS.find(({ upTo }) => found.now - found.oldest < upTo);
  const by = choice.label === undefined ? {} : { by: [choice.label] };
  const target = choice.target === undefined ? {} : { target: choice.target };
  if (choice.shape === "cases") {
    const { words } = choice;
    const days = { metric: CASES.days, agg: "avg" };
    const count = (id, metric) => ({ id, title: words[id], better: "higher", query: { metric, window: card, agg: "increase" } });
    const threshold = choice.target === undefined ? {} : { threshold: choice.target };
    const chart = (id, metric, agg) => ({ id, title: words[id], query: { metric, window: point, agg, ...by } });
    return {
      page,
      board: {
        title: choice.title,
        metrics: [
          { name: CASES.days, kind: "observation", unit: "days" },
          { name: CASES.opened, kind: "event" },
          { name: CASES.closed, kind: "event" },
        ],
        kpis: [
          { id: "days", title: words.days, unit: "days", better: "lower", ...target, query: { ...days, window: card } },
          { id: "slowest", title: words.slowest, unit: "days", better: "lower", query: { metric: CASES.days, window: card, agg: "p95" } },
          count("closed", CASES.closed),
          { ...count("opened", CASES.opened), better: "lower" },
        ],
        panels: [
          { ...chart("days", CASES.days, "avg"), unit: "days", ...threshold },
          chart("closed", CASES.closed, "increase"),
          chart("opened", CASES.opened, "increase"),
        ],
      },
    };
  }
  const names = [...found.metrics.keys()];
  const shown = names.slice(0, MOST_SHOWN);
  const id = (place) => `metric-${place + 1}`;
  const query = (metric, window) => ({ metric, window, agg: choice.figure });
  return {
    page,
    board: {
      title: choice.title,
      metrics: names.map((name) => ({ name, kind: "observation" })),
      kpis: shown.map((name, place) => ({ id: id(place), title: name, better: choice.better, query: query(name, card) })),
      panels: shown.map((name, place) => ({ id: id(place), title: name, query: { ...query(name, point), ...by } })),
    },
  };
}
