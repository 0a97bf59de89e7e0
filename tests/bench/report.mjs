// What was measured, as Markdown.
import { readFileSync } from 'node:fs';

const number = (value) => {
  if (value === undefined || Number.isNaN(value)) return '–';
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size < 0.001) return value.toExponential(1).replace('e', ' · 10^').replace(/10\^(-?\d+)/, (_, power) => `10<sup>${power}</sup>`);
  if (size >= 1000) return Math.round(value).toLocaleString('en-US').replaceAll(',', ' ');
  return String(Number(value.toPrecision(3)));
};

/** The columns of each kind of workload: heading, and what of a result it shows. */
const columns = {
  ingest: [
    ['total ms', (result) => result.ms],
    ['ingest ms', (result) => result.ingestMs],
    ['query ms', (result) => result.queryMs],
    ['memory MB', (result) => result.memoryMb],
    ['rank error of p99', (result) => result.errors.p99Rank],
    ['value error', (result) => result.errors.value],
    ['error of averages', (result) => result.errors.avg],
    ['error of counts', (result) => result.errors.count],
  ],
  window: [
    ['tick p50 ms', (result) => result.ms],
    ['tick p95 ms', (result) => result.p95Ms],
    ['longest pause ms', (result) => result.longestMs],
    ['memory MB', (result) => result.memoryMb],
    ['rank error of p99', (result) => result.errors.p99Rank],
    ['value error', (result) => result.errors.value],
    ['error of counts', (result) => result.errors.count],
  ],
  decode: [
    ['ms', (result) => result.ms],
    ['million samples a second', (result) => result.millionsASecond],
    ['bytes a sample', (result) => result.bytesASample],
    ['longest frame ms', (result) => result.longestMs],
    ['error of sums', (result) => result.wrong],
  ],
  downsample: [
    ['ms', (result) => result.ms],
    ['points', (result) => result.points],
    ['error of the drawn line', (result) => result.envelopeError],
  ],
  series: [
    ['query of one series, ms', (result) => result.ms],
    ['of one of 10, ms', (result) => result.ofFewMs],
    ['longest call ms', (result) => result.longestMs],
    ['memory MB', (result) => result.memoryMb],
    ['of the engine MB', (result) => result.engineMb],
  ],
  rules: [
    ['evaluation ms', (result) => result.ms],
    ['longest ms', (result) => result.longestMs],
    ['fired', (result) => result.fired],
  ],
};

function row(cells) {
  return `| ${cells.join(' | ')} |`;
}

function table(workload) {
  const shown = columns[workload.kind];
  const base = workload.results.find(({ key }) => key === workload.against)?.ms;
  const lines = [
    row(['', 'version', ...shown.map(([heading]) => heading), 'time, ours = 1']),
    row(['---', '---', ...shown.map(() => '---:'), '---:']),
  ];
  for (const result of workload.results) {
    if (result.failure) lines.push(row([result.title, result.version, ...shown.map(() => '–'), result.failure]));
    else {
      const cut = result.isWhole === false ? ' (stopped early)' : '';
      lines.push(row([result.title + cut, result.version, ...shown.map(([, of]) => number(of(result))), number(result.ms / base)]));
    }
  }
  return lines.join('\n');
}

/** One section: what was measured as a table, and when and on what. */
function section({ title, measured: { day, node, cores, processor, load }, note }, shown) {
  const about = `Measured on ${day}: Node ${node}, ${cores} cores of ${processor}, load ${number(load[0])} before it.`;
  return [`## ${title}`, '', shown, '', [note, about].filter(Boolean).join(' ')].join('\n');
}

/** A table of W5 or W6, whose columns are its own. */
function ownTable({ columns: shown, rows }) {
  const lines = [row(['', 'version', ...shown.map(([heading]) => heading)]), row(['---', '---', ...shown.map(() => '---:')])];
  for (const each of rows) lines.push(row([each.title, each.version, ...shown.map(([, name]) => number(each[name]))]));
  return lines.join('\n');
}

/** The whole report. */
export function report({ workloads, sections = [] }) {
  const head = [
    '# What was measured, beside others',
    '',
    'Written by `cargo xtask bench`; each section says when it was measured and on what. A load above 0.3 blurs times on a clock.',
    'Each row ran in a process of its own; times are medians. Times are this machine\'s, ratios hold roughly elsewhere: above 1 is slower than ours.',
    'Errors are the greatest over all series, against the exact figures; memory is the growth of the process.',
  ];
  const parts = [...workloads.map((each) => section(each, table(each))), ...sections.map((each) => section(each, ownTable(each)))];
  return `${[head.join('\n'), ...parts].join('\n\n')}\n`;
}

/** What `file` holds, with the sections of `text` in place of its own of the same titles. */
export function merged(file, text) {
  const parts = (whole) => whole.trimEnd().split(/\n\n(?=## )/);
  const titleOf = (part) => part.split('\n', 1)[0];
  const [, ...old] = parts(readFileSync(file, 'utf8'));
  const [head, ...now] = parts(text);
  const kept = old.map((part) => now.find((other) => titleOf(other) === titleOf(part)) ?? part);
  const added = now.filter((part) => !old.some((other) => titleOf(other) === titleOf(part)));
  return `${[head, ...kept, ...added].join('\n\n')}\n`;
}
