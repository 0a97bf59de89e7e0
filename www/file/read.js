// Reads a file into rows with Papa Parse, piece by piece, so that the page can be used and the reading ended meanwhile.

/** Most rows that are read: more is not for a page. */
export const MOST_ROWS = 300_000;
/** Most bytes of a file. */
export const MOST_BYTES = 64 * 1024 * 1024;
/** Letters of one piece: a few milliseconds of work. */
const PIECE = 256 * 1024;

/** @typedef {import("./rows.js").Row} Row */

/** Ended by whoever asked for it. */
export class Cancelled extends Error {}

/** The library, as a script of the site: it is no module. */
async function library() {
  if (globalThis.Papa) return globalThis.Papa;
  const script = document.createElement("script");
  script.src = document.querySelector("meta[name='bellwether-papaparse']").getAttribute("content");
  await new Promise((resolve, reject) => {
    script.onload = resolve;
    script.onerror = () => reject(new Error(script.src));
    document.head.append(script);
  });
  return globalThis.Papa;
}

/** The text of a file, whole, so that no letter lies in two pieces. Spreadsheets of before UTF-8 are still written. */
async function textOf(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

/** What parts the cells: of the usual signs the one that is most often in the heads, which hold no decimal comma. */
function delimiterOf(text) {
  const heads = text.slice(0, 10_000).trimStart().split(/[\r\n]/, 1)[0].replace(/"[^"]*"/g, "");
  const [often] = [",", ";", "\t", "|"].map((sign) => [heads.split(sign).length, sign]).sort(([one], [other]) => other - one);
  return often[1];
}

/** Lines that a cell goes over beyond the first. */
const breaks = (cell) => (cell.includes("\n") || cell.includes("\r") ? cell.match(/\r\n|\r|\n/g).length : 0);

/**
 * The heads and rows of `file`. Rows without any text are passed over; each other knows its line.
 *
 * @param {File} file
 * @param {(share: number) => void} progress Told of each piece how much of the file has been read, from 0 to 1.
 * @param {AbortSignal} signal
 * @returns {Promise<{ heads: string[], rows: Row[], cut: boolean, unclosed: number | undefined }>} `cut` says that the file has more
 *   rows than are read, `unclosed` is the line of a quotation mark that nothing closes: from there on there are no rows.
 */
export async function read(file, progress, signal) {
  const [papa, text] = await Promise.all([library(), textOf(file)]);
  let line = 1;
  let heads;
  let cut = false;
  /** @type {number | undefined} */
  let unclosed;
  /** @type {Row[]} */
  const rows = [];
  await /** @type {Promise<void>} */ (new Promise((resolve, reject) => {
    papa.parse(text, {
      delimiter: delimiterOf(text),
      chunkSize: PIECE,
      chunk({ data, errors, meta }, parser) {
        if (signal.aborted) {
          parser.abort();
          return reject(new Cancelled());
        }
        // Its row holds all that is left of the file.
        const isUnclosed = errors.some(({ code }) => code === "MissingQuotes");
        for (const [place, cells] of data.entries()) {
          const begins = line;
          if (isUnclosed && place === data.length - 1) {
            unclosed = begins;
            break;
          }
          line += 1 + cells.reduce((sum, cell) => sum + breaks(cell), 0);
          if (cells.every((cell) => !cell.trim())) continue;
          if (!heads) heads = cells;
          else if (rows.length < MOST_ROWS) rows.push({ cells, line: begins });
          else cut = true;
        }
        progress(Math.min(meta.cursor / Math.max(text.length, 1), 1));
        if (cut) {
          parser.abort();
          return resolve();
        }
        // The page paints and hears its reader in between.
        parser.pause();
        setTimeout(() => parser.resume());
      },
      complete: () => resolve(),
      error: reject,
    });
  }));
  if (signal.aborted) throw new Cancelled();
  return { heads: heads ?? [], rows, cut, unclosed };
}
