// A file of the reader's, from its bytes to the page: reads it, asks what its columns are, and has the page show it. Nothing of it
// leaves the tab. What the file says is only ever text.
import { boardOf, MOST_SHOWN, REACH, survey } from "./board.js";
import { TabGateway } from "./gateway.js";
import { Cancelled, MOST_BYTES, MOST_ROWS, read as readFile } from "./read.js";
import { guess, MOST_COLUMNS, nothing, plain, read as readRow } from "./rows.js";

/** Rows that are turned into samples at a time: a few milliseconds of work. */
const PIECE = 1_000;
/** Most series: the page keeps a few more. */
export const MOST_SERIES = 1_300;
/** Most samples: three for each row of cases that is read. */
const MOST_SAMPLES = 3 * MOST_ROWS;

const breath = () => new Promise((resolve) => setTimeout(resolve));

/** An element with these properties; `text` of a file goes nowhere but into text. */
function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** A file of the site. */
async function fetched(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${answer.url}: ${answer.status}`);
  return answer;
}

/** What is said, in the language of the page. */
async function speaker() {
  const { language, locale } = globalThis.bellwether;
  const texts = await (await fetched(new URL(`./${language}.json`, import.meta.url))).json();
  const plural = new Intl.PluralRules(locale);
  const count = new Intl.NumberFormat(locale);
  const fill = (text, parts) => text.replace(/\{(\d)\}/g, (_, place) => parts[place] ?? "");
  return {
    /** The text of a name. */
    say: (name, ...parts) => fill(texts[name], parts),
    /** Its form for a number, which is `{0}`. */
    count(name, number, ...parts) {
      const [one, other = one] = texts[name].split("|");
      return fill(plural.select(number) === "one" ? one : other, [count.format(number), ...parts]);
    },
    number: (value) => count.format(value),
    /** How far something is, by tenths: each change is read aloud to some. */
    percent: (share) => new Intl.NumberFormat(locale, { style: "percent" }).format(Math.floor(share * 10) / 10),
    day: (at) => new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" }).format(at),
    /** How the reader's language writes days and numbers. */
    reader: {
      order: new Intl.DateTimeFormat(locale).formatToParts().find(({ type }) => type === "day" || type === "month").type === "day" ? "dmy" : "mdy",
      decimal: new Intl.NumberFormat(locale).formatToParts(1.5).find(({ type }) => type === "decimal").value === "," ? "," : ".",
    },
  };
}

/** The style sheet of what is asked, once. */
function dress() {
  const href = new URL("./file.css", import.meta.url).href;
  if (document.querySelector(`link[href="${href}"]`)) return undefined;
  const link = make("link", { rel: "stylesheet", href });
  const came = new Promise((resolve) => { link.onload = link.onerror = resolve; });
  document.head.append(link);
  return came;
}

/** Heads that are there, and each only once: two columns of one name would be one label. */
export function headsOf(cells, column) {
  const heads = [];
  for (const [place, cell] of cells.entries()) {
    const bare = plain(cell, column(place + 1));
    let head = bare;
    for (let time = 2; heads.includes(head); time += 1) head = `${bare} ${time}`;
    heads.push(head);
  }
  return heads;
}

/**
 * Opens a file, or the one at an address of the site.
 *
 * @param {File | string} given
 */
export async function open(given) {
  const [words] = await Promise.all([speaker(), dress()]);
  const file = typeof given === "string" ? await example(given) : given;
  const before = /** @type {HTMLDialogElement | null} */ (document.querySelector("dialog.file"));
  before?.close();
  const ended = new AbortController();
  const title = make("h2", { id: "file-title", textContent: words.say("Title", file.name) });
  const body = make("div", { className: "file-body" });
  const dialog = make("dialog", { className: "file" }, title, make("p", { className: "words", textContent: words.say("Private") }), body);
  dialog.setAttribute("aria-labelledby", title.id);
  dialog.addEventListener("close", () => {
    ended.abort();
    dialog.remove();
  });
  document.body.append(dialog);
  dialog.showModal();
  const status = make("p", { className: "file-status" });
  status.setAttribute("role", "status");
  body.append(status, make("p", { className: "file-buttons" }, closer(dialog, words)));
  try {
    if (file.size > MOST_BYTES) return refuse(body, dialog, words, words.say("TooLarge", `${MOST_BYTES >> 20} MiB`));
    status.textContent = words.say("Reading", words.percent(0));
    const found = await readFile(file, (share) => { status.textContent = words.say("Reading", words.percent(share)); }, ended.signal);
    if (found.rows.length === 0) {
      return refuse(body, dialog, words, found.unclosed ? words.say("Fault", found.unclosed, words.say("Unclosed")) : words.say("Empty"));
    }
    await ask(file, found, { dialog, body, words, signal: ended.signal });
  } catch (error) {
    if (error instanceof Cancelled) return;
    console.error(error);
    refuse(body, dialog, words, words.say("Unreadable", error.message));
  }
}

async function example(address) {
  const answer = await fetched(new URL(address, document.baseURI));
  return new File([await answer.blob()], address.split("/").pop());
}

function closer(dialog, words) {
  return make("button", { type: "button", className: "button", textContent: words.say("Cancel"), onclick: () => dialog.close() });
}

function refuse(body, dialog, words, sentence) {
  const said = make("p", { className: "notice", textContent: sentence });
  said.setAttribute("role", "alert");
  body.replaceChildren(said, make("p", { className: "file-buttons" }, closer(dialog, words)));
}

/** Asks what the columns are, and says at each change what comes of it. */
async function ask(file, { heads: cells, rows, cut, unclosed }, { dialog, body, words, signal }) {
  const heads = headsOf(cells, (place) => words.say("Column", place));
  const mapping = guess(heads, rows, words.reader);
  const choice = { figure: "avg", better: "lower", target: "" };
  let result;
  let turn = 0;

  const columns = (chosen, none) => [
    ...(none ? [make("option", { value: "", textContent: words.say("NoColumn"), selected: chosen === undefined })] : []),
    ...heads.map((head, place) => make("option", { value: place, textContent: head, selected: place === chosen })),
  ];
  const field = (name, control) => make("label", { className: "file-field" }, make("span", { textContent: words.say(name) }), control);
  const pick = (name, options, changed) => {
    const select = make("select", { className: "button", onchange: () => { changed(select.value); again(); } }, ...options);
    return field(name, select);
  };
  const column = (name, key, none) => pick(name, columns(mapping[key], none || mapping[key] === undefined), (value) => { mapping[key] = value === "" ? undefined : Number(value); });
  const option = (value, name, chosen) => make("option", { value, textContent: words.say(name), selected: value === chosen });
  const several = (name, key) => {
    const boxes = heads.map((head, place) => {
      const box = make("input", { type: "checkbox", checked: mapping[key].includes(place), onchange() {
        mapping[key] = heads.map((_, each) => each).filter((each) => (each === place ? box.checked : mapping[key].includes(each)));
        again();
      } });
      return make("label", { className: "file-box" }, box, make("span", { textContent: head }));
    });
    return make("fieldset", { className: "file-field" }, make("legend", { textContent: words.say(name) }), ...boxes);
  };

  const fields = make("div", { className: "file-fields" });
  const status = make("p", { className: "file-status" });
  status.setAttribute("role", "status");
  const faults = make("details", { className: "file-faults", hidden: true });
  const show = make("button", { type: "submit", className: "button button-primary", textContent: words.say("Show"), disabled: true });
  const form = make("form", { method: "dialog", onsubmit(event) {
    event.preventDefault();
    if (!result) return;
    dialog.close();
    showFile(file, result, heads, mapping, choice, words);
  } }, fields, status, faults, make("p", { className: "file-buttons" }, show, closer(dialog, words)));

  const draw = () => {
    const shapes = /** @type {const} */ (["measured", "cases"]).map((shape) => {
      const radio = make("input", { type: "radio", name: "shape", checked: mapping.shape === shape, onchange() {
        mapping.shape = shape;
        draw();
        again();
        fields.querySelector("input:checked").focus();
      } });
      return make("label", { className: "file-box" }, radio, make("span", { textContent: words.say(shape) }));
    });
    const target = make("input", { className: "button", type: "number", min: "0", step: "any", value: choice.target, oninput() { choice.target = target.value; } });
    fields.replaceChildren(
      make("fieldset", { className: "file-field" }, make("legend", { textContent: words.say("Shape") }), ...shapes),
      ...(mapping.shape === "cases"
        ? [column("Opened", "opened"), column("Closed", "closed"), field("Target", target)]
        : [
            column("Time", "time"),
            several("Values", "values"),
            column("Name", "name", true),
            pick("Figure", [option("avg", "Average", choice.figure), option("sum", "Total", choice.figure), option("last", "Latest", choice.figure)], (value) => { choice.figure = value; }),
            pick("Better", [option("lower", "Lower", choice.better), option("higher", "Higher", choice.better)], (value) => { choice.better = value; }),
            pick("Decimal", [option(".", "Point", mapping.decimal), option(",", "Comma", mapping.decimal)], (value) => { mapping.decimal = value; }),
          ]),
      pick("Order", [option("dmy", "DayFirst", mapping.order), option("mdy", "MonthFirst", mapping.order)], (value) => { mapping.order = value; }),
      several("Labels", "labels"),
    );
  };

  /** Reads all rows as they are chosen now; a later choice ends it. */
  async function weigh() {
    turn += 1;
    const mine = turn;
    result = undefined;
    show.disabled = true;
    const missing = mapping.shape === "cases" ? mapping.opened === undefined || mapping.closed === undefined : mapping.time === undefined || mapping.values.length === 0;
    if (missing) {
      faults.hidden = true;
      status.textContent = words.say(mapping.shape === "cases" ? "ChooseDays" : "ChooseValues");
      return;
    }
    if (mapping.labels.length > MOST_COLUMNS) {
      faults.hidden = true;
      status.textContent = words.count("TooManyColumns", mapping.labels.length, MOST_COLUMNS);
      return;
    }
    const into = nothing(Date.now());
    for (let place = 0; place < rows.length; place += PIECE) {
      if (place > 0) {
        status.textContent = words.say("Checking", words.percent(place / rows.length));
        await breath();
        if (mine !== turn || signal.aborted) return;
      }
      for (const row of rows.slice(place, place + PIECE)) readRow(row, heads, mapping, into);
      if (into.samples.length > MOST_SAMPLES) {
        faults.hidden = true;
        status.textContent = words.count("TooManyValues", MOST_SAMPLES);
        return;
      }
    }
    await tell(into, mine);
  }

  /** As `weigh`, where nobody waits for it. */
  function again() {
    weigh().catch((error) => {
      console.error(error);
      refuse(body, dialog, words, words.say("Unreadable", error.message));
    });
  }

  async function tell(into, mine) {
    faults.hidden = into.wrong === 0;
    faults.replaceChildren(
      make("summary", { textContent: words.count("Faults", into.wrong) }),
      make("ul", {}, ...into.faults.map(({ line, reason, text }) => make("li", { textContent: words.say("Fault", line, words.say(reason, text)) }))),
      ...(into.wrong > into.faults.length ? [make("p", { className: "words", textContent: words.count("MoreFaults", into.wrong - into.faults.length) })] : []),
    );
    if (into.samples.length === 0) {
      status.textContent = words.say("NothingRead");
      return;
    }
    const found = await survey(into.samples, breath);
    if (mine !== turn || signal.aborted) return;
    const series = [...found.series.values()].reduce((sum, each) => sum + each.size, 0);
    if (series > MOST_SERIES) {
      status.textContent = words.count("TooManySeries", series, words.number(MOST_SERIES));
      return;
    }
    status.textContent = [
      words.count("Rows", rows.length - into.bad),
      words.say("Span", words.day(found.oldest), words.day(found.now)),
      ...(into.open > 0 ? [words.count("StillOpen", into.open)] : []),
      ...(found.older > 0 ? [words.count("Older", found.older, REACH / 86_400_000)] : []),
      ...(mapping.shape === "measured" && found.metrics.size > MOST_SHOWN ? [words.count("MoreMetrics", found.metrics.size - MOST_SHOWN)] : []),
      ...(cut ? [words.count("Cut", MOST_ROWS)] : []),
      ...(unclosed ? [words.say("Fault", unclosed, words.say("Unclosed"))] : []),
    ].join(" ");
    result = found;
    show.disabled = false;
  }

  draw();
  body.replaceChildren(form);
  await weigh();
}

/** Has the page show it: as what a gateway would send, with a board made of the columns. */
function showFile(file, found, heads, mapping, choice, words) {
  const { page, board } = boardOf(found, {
    shape: mapping.shape,
    title: plain(file.name.replace(/\.[a-z]+$/i, ""), file.name),
    label: heads[mapping.labels[0]],
    figure: choice.figure,
    better: choice.better,
    target: mapping.shape === "cases" && choice.target !== "" ? Number(choice.target) : undefined,
    words: { days: words.say("DaysToClose"), slowest: words.say("Slowest"), opened: words.say("OpenedCount"), closed: words.say("ClosedCount") },
  });
  const gateway = { title: plain(file.name, "CSV"), version: words.say("Version"), now: found.now, board, samples: found.kept };
  const listing = () => {
    return JSON.stringify({ metrics: [...found.series].map(([name, each]) => ({ name, series: each.size })), left_out: 0 });
  };
  Object.assign(globalThis.bellwether, { fileFeed: () => new TabGateway(gateway), fileMetrics: listing });
  location.hash = `#/?window=${page}`;
  document.dispatchEvent(new Event("bellwether-file"));
}
