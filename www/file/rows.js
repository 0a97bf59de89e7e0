// From the rows of a spreadsheet to samples: pure, without a page. What cannot be read is named with its line and a reason.

/**
 * @typedef {"measured" | "cases"} Shape Rows of measured values, or cases with a day on which each was opened and closed.
 * @typedef {"dmy" | "mdy"} DayOrder What stands first in `3/4/2025`; years first need no telling.
 * @typedef {"." | ","} Decimal
 * @typedef {{
 *   shape: Shape, name: number | undefined, values: number[], time: number | undefined,
 *   opened: number | undefined, closed: number | undefined, labels: number[], order: DayOrder, decimal: Decimal,
 * }} Mapping Columns by their place.
 * @typedef {{ name: string, value: number, timestamp: number, kind: "observation" | "event", unit?: string, labels: Record<string, string> }} Sample
 * @typedef {{ line: number, reason: string, text: string }} Fault `reason` is the name of a text.
 * @typedef {{ cells: string[], line: number }} Row
 * @typedef {{ now: number, samples: Sample[], faults: Fault[], wrong: number, bad: number, line: number, open: number }} Found
 *   What rows have come to: `wrong` cells in `bad` rows, of which the first are named in `faults`; `line` is that of the last bad
 *   row, and `open` counts cases that are not closed.
 */

/** The metrics of cases. */
export const CASES = { days: "days_to_close", opened: "opened", closed: "closed" };
/** Most columns that are labels without being asked for. */
const MOST_LABELS = 6;
/** Most values of such a column: with more it tells rows apart rather than groups of them. */
const MOST_VALUES = 40;
/** Rows that are looked at to guess what a column is. */
const LOOKED_AT = 2_000;
/** Bytes that the engine takes of a name; more of a label's value nobody could read on a page. */
const NAME_BYTES = 256;
/** Most labels of a series in the engine. */
export const MOST_COLUMNS = 30;
/** Faults that are named; all are counted. */
const NAMED = 50;
const DAY_MS = 86_400_000;
/** A day without a time. */
const DAY = /^\d{1,4}([./-])\d{1,2}\1\d{1,4}$/;
/** The furthest that a row may lie ahead of the reader's clock: another zone's day. */
const AHEAD_MS = DAY_MS;

const [encoder, decoder, room] = [new TextEncoder(), new TextDecoder(), new Uint8Array(NAME_BYTES)];

/** Text that the engine takes: without control characters, not too long and cut between letters, never empty. */
export function plain(text, otherwise) {
  // No letter takes less than a byte: what lies far behind cannot stay, and a cell may be as long as the file.
  const clean = text.trim().slice(0, 2 * NAME_BYTES).replace(/\p{Cc}+/gu, " ");
  const { written } = encoder.encodeInto(clean, room);
  return decoder.decode(room.subarray(0, written)).trim() || otherwise;
}

/** What no row has been read into yet; `now` is the reader's clock. @returns {Found} */
export const nothing = (now) => ({ now, samples: [], faults: [], wrong: 0, bad: 0, line: 0, open: 0 });

/**
 * The number that `text` writes; `undefined` where it writes none. Spaces and apostrophes between thousands, signs of a currency
 * and a per cent sign are passed over.
 *
 * @param {string} text
 * @param {Decimal} decimal
 */
export function number(text, decimal) {
  let bare = text.replace(/[\s'’_]|\p{Sc}/gu, "").replace(/%$/, "").replace(/^−/, "-");
  if (/^\(.*\)$/.test(bare)) bare = `-${bare.slice(1, -1)}`; // As accountants write it.
  const thousands = decimal === "." ? "," : ".";
  const whole = thousands === "," ? /^[+-]?\d{1,3}(,\d{3})+(\.\d*)?$/ : /^[+-]?\d{1,3}(\.\d{3})+(,\d*)?$/;
  if (whole.test(bare)) bare = bare.replaceAll(thousands, "");
  // What is left of the sign for thousands parts none.
  if (bare.includes(thousands)) return undefined;
  if (decimal === ",") bare = bare.replace(",", ".");
  const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(bare) ? Number(bare) : undefined;
  // 12e4567 is rather a number of a case.
  return Number.isFinite(value) ? value : undefined;
}

/** Year, month, day, hours, minutes, seconds, thousandths in the reader's own zone; `undefined` where there is no such day. */
function local(year, month, day, hours = 0, minutes = 0, seconds = 0, thousandths = 0) {
  if (hours > 23 || minutes > 59 || seconds > 59) return undefined;
  const date = new Date(year, month - 1, day, hours, minutes, seconds, thousandths);
  return date.getMonth() === month - 1 && date.getDate() === day ? date.getTime() : undefined;
}

/**
 * The instant that `text` writes, in milliseconds since 1970; `undefined` where it writes none. A time without a zone is of the
 * reader's; a day without a time begins at midnight.
 *
 * @param {string} text
 * @param {DayOrder} order
 */
export function instant(text, order) {
  const bare = text.trim();
  const iso = /^(\d{4})-(\d\d?)-(\d\d?)(?:[T ](\d\d?):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s*(Z|[+-]\d\d:?\d\d)?)?$/i.exec(bare);
  if (iso) {
    const [year, month, day, hours = 0, minutes = 0, seconds = 0] = iso.slice(1, 7).map((part) => Number(part ?? 0));
    const thousandths = Math.trunc(Number(`0.${iso[7] ?? 0}`) * 1_000);
    const there = local(year, month, day, hours, minutes, seconds, thousandths);
    if (!iso[8] || there === undefined) return there;
    const utc = Date.UTC(year, month - 1, day, hours, minutes, seconds, thousandths);
    if (iso[8].toUpperCase() === "Z") return utc;
    const sign = iso[8].startsWith("-") ? 1 : -1;
    return utc + sign * (Number(iso[8].slice(1, 3)) * 60 + Number(iso[8].slice(-2))) * 60_000;
  }
  const parted = /^(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})(?:,?\s+(\d\d?):(\d\d)(?::(\d\d))?\s*([ap])?\.?m?\.?)?$/i.exec(bare);
  if (parted) {
    let [first, second, third] = [parted[1], parted[3], parted[4]].map(Number);
    let hours = Number(parted[5] ?? 0);
    if (parted[8]) hours = (hours % 12) + (parted[8].toLowerCase() === "p" ? 12 : 0);
    const clock = [hours, Number(parted[6] ?? 0), Number(parted[7] ?? 0)];
    if (parted[1].length === 4) return local(first, second, third, ...clock);
    // 25 is 2025; nobody's spreadsheet is of the first century.
    if (parted[4].length <= 2) third += third < 70 ? 2_000 : 1_900;
    return order === "dmy" ? local(third, second, first, ...clock) : local(third, first, second, ...clock);
  }
  // Seconds, or milliseconds, since 1970.
  if (/^\d{9,10}(\.\d+)?$/.test(bare)) return Math.round(Number(bare) * 1_000);
  return /^\d{12,13}$/.test(bare) ? Number(bare) : undefined;
}

/** What a column looks like. */
function look(rows, place) {
  const cells = rows.map((row) => (row.cells[place] ?? "").trim()).filter(Boolean);
  const share = (is) => cells.length > 0 && cells.filter(is).length >= cells.length * 0.8;
  const values = new Set(cells);
  return {
    isTime: share((cell) => instant(cell, "dmy") !== undefined || instant(cell, "mdy") !== undefined),
    isNumber: share((cell) => number(cell, ".") !== undefined || number(cell, ",") !== undefined),
    // Text such as an agency: it comes again and again.
    isGroup: values.size > 0 && values.size <= MOST_VALUES && values.size <= Math.max(cells.length / 2, Math.min(cells.length - 1, 3)),
    cells,
  };
}

/** The order of days in these cells, where they tell: a 13 is no month. */
function orderOf(cells) {
  for (const cell of cells) {
    const parts = /^(\d{1,2})[./-](\d{1,2})[./-]\d{2,4}/.exec(cell);
    if (parts && Number(parts[1]) > 12) return "dmy";
    if (parts && Number(parts[2]) > 12) return "mdy";
  }
  return undefined;
}

/** The decimal sign in these cells, where they tell. */
function decimalOf(cells) {
  for (const cell of cells) {
    const signs = cell.replace(/[^.,]/g, "");
    if (!signs) continue;
    const last = signs.at(-1);
    if (signs.includes(".") && signs.includes(",")) return last;
    // Several of one kind part thousands; one alone before other than three digits parts no thousands.
    if (signs.length > 1) return last === "," ? "." : ",";
    if (!/[.,]\d{3}\D*$/.test(cell)) return last;
  }
  return undefined;
}

/**
 * What the columns probably are.
 *
 * @param {string[]} heads
 * @param {Row[]} rows
 * @param {{ order: DayOrder, decimal: Decimal }} reader How the reader's own language writes days and numbers.
 * @returns {Mapping}
 */
export function guess(heads, rows, reader) {
  const some = rows.slice(0, LOOKED_AT);
  const looks = heads.map((_, place) => look(some, place));
  const places = heads.map((_, place) => place);
  const named = (pattern, among) => among.find((place) => pattern.test(heads[place].trim()));
  const times = places.filter((place) => looks[place].isTime);
  const opened = named(/open|created|start|submitted|received|abiert|apertura|creado|inicio|solicit|recib/i, times);
  const closed = named(/clos|resolved|ended|end$|finish|decided|completed|cerrad|cierre|resuelt|fin(al)?$|decid/i, times.filter((place) => place !== opened));
  const shape = opened !== undefined && closed !== undefined ? "cases" : "measured";
  const time = named(/^(time|timestamp|date|day|when|at|fecha|hora|d[ií]a)/i, times) ?? times[0];
  const others = places.filter((place) => !times.includes(place));
  const numbers = others.filter((place) => looks[place].isNumber);
  const value = named(/^(value|valor)$/i, numbers);
  const name = value === undefined ? undefined : named(/^(name|metric|nombre|m[eé]trica|indicador)$/i, others);
  const values = value === undefined ? numbers.filter((place) => !/(^|[^a-z])(id|no|nr|ref|code)$/i.test(heads[place])) : [value];
  const groups = others.filter((place) => place !== name && looks[place].isGroup && !numbers.includes(place));
  return {
    shape, name, values, time, opened, closed,
    labels: groups.slice(0, MOST_LABELS),
    order: orderOf(times.flatMap((place) => looks[place].cells)) ?? reader.order,
    decimal: decimalOf(numbers.flatMap((place) => looks[place].cells)) ?? reader.decimal,
  };
}

/** The labels of a row: the columns that are labels, by their heads; empty cells give none. */
function labelsOf(row, heads, mapping) {
  // Without a prototype any head is a name, also `__proto__`.
  const labels = Object.create(null);
  for (const place of mapping.labels) {
    const value = plain(row.cells[place] ?? "", "");
    if (value) labels[heads[place]] = value;
  }
  return labels;
}

/**
 * Reads one row: what it gives goes to `samples`, what is wrong with it to `faults`.
 *
 * @param {Row} row
 * @param {string[]} heads
 * @param {Mapping} mapping
 * @param {Found} into
 */
export function read(row, heads, mapping, into) {
  const cell = (place) => (place === undefined ? "" : (row.cells[place] ?? "").trim());
  const fault = (reason, text) => {
    into.wrong += 1;
    if (into.line !== row.line) into.bad += 1;
    into.line = row.line;
    if (into.faults.length < NAMED) into.faults.push({ line: row.line, reason, text: text.slice(0, 60) });
  };
  const when = (place, empty) => {
    const text = cell(place);
    const at = instant(text, mapping.order);
    if (at === undefined) fault(text ? "NoTime" : empty, text);
    else if (at > into.now + AHEAD_MS) fault("Ahead", text);
    else return at;
    return undefined;
  };
  if (mapping.shape === "cases") {
    const opened = when(mapping.opened, "OpenedEmpty");
    if (opened === undefined) return;
    const labels = labelsOf(row, heads, mapping);
    /** @type {Sample} */
    const begin = { name: CASES.opened, value: 1, timestamp: opened, kind: "event", labels };
    if (!cell(mapping.closed)) {
      into.open += 1;
      into.samples.push(begin);
      return;
    }
    const closed = when(mapping.closed, "NoTime");
    if (closed === undefined) return;
    if (closed < opened) return fault("ClosedFirst", cell(mapping.closed));
    const between = (closed - opened) / DAY_MS;
    // From one day to another it is whole days, also where the clock was changed between them.
    const days = [mapping.opened, mapping.closed].every((place) => DAY.test(cell(place))) ? Math.round(between) : between;
    into.samples.push(
      begin,
      { name: CASES.closed, value: 1, timestamp: closed, kind: "event", labels },
      { name: CASES.days, value: days, timestamp: closed, kind: "observation", unit: "days", labels },
    );
    return;
  }
  const timestamp = when(mapping.time, "TimeEmpty");
  if (timestamp === undefined) return;
  const labels = labelsOf(row, heads, mapping);
  const name = mapping.name === undefined ? "" : plain(cell(mapping.name), "");
  if (mapping.name !== undefined && !name) return fault("NameEmpty", "");
  for (const place of mapping.values) {
    const text = cell(place);
    const value = number(text, mapping.decimal);
    // Of several columns of values one may be empty.
    if (!text && mapping.values.length > 1) continue;
    if (value === undefined) fault(text ? "NoNumber" : "ValueEmpty", text);
    else if (mapping.values.length > 1 && name) into.samples.push({ name: plain(`${name} ${heads[place]}`, name), value, timestamp, kind: "observation", labels });
    else into.samples.push({ name: name || heads[place], value, timestamp, kind: "observation", labels });
  }
}
