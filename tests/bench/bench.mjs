// Runs every contender at every workload and tells how they did: `node bench.mjs [--quick] [--only=ingest,…] [--json=FILE]
// [--record=FILE]`. `cargo xtask bench` builds what it needs and calls it.
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { contenders, workloads } from './contenders.mjs';
import * as gateway from './gateway/w6.mjs';
import * as page from './page/w5.mjs';
import { merged, report } from './report.mjs';

const here = import.meta.dirname;
const run = promisify(execFile);

/** The version of a contender: its own, its package's, else that of Node. */
async function version({ package: name, module }) {
  if (name) return JSON.parse(readFileSync(path.join(here, 'node_modules', name, 'package.json'), 'utf8')).version;
  return (await import(module)).meta?.version ?? `Node ${process.versions.node}`;
}

/** What one contender did, in a fresh process. */
async function result(workload, key, size) {
  const { title, isOptional } = contenders[key];
  const about = { key, title, isOptional, version: await version(contenders[key]) };
  try {
    const { stdout } = await run(process.execPath, ['--expose-gc', 'one.mjs', workload, key, size], { cwd: here, timeout: 600_000 });
    return { ...about, ...JSON.parse(stdout) };
  } catch (error) {
    const lines = String(error.stderr || error.message).trim().split('\n');
    return { ...about, failure: lines.find((line) => /^\w*Error:/.test(line)) ?? lines.at(-1) };
  }
}

/** When something is measured, and on what. */
const circumstances = () => ({
  day: new Date().toISOString().slice(0, 10),
  node: process.versions.node,
  v8: process.versions.v8,
  processor: os.cpus()[0]?.model ?? 'unknown',
  cores: os.cpus().length,
  memoryMb: Math.round(os.totalmem() / 1e6),
  load: os.loadavg(),
});

/** Runs the workloads called `only` with the contenders called `who`, or all of them. */
export async function bench({ size, only, who, told = () => {} }) {
  const done = [];
  for (const [name, workload] of Object.entries(workloads)) {
    if (only && !only.includes(name)) continue;
    const measured = circumstances();
    const results = [];
    for (const key of workload.contenders) {
      if (who && !who.includes(key)) continue;
      const one = await result(name, key, size);
      told(`${name}: ${one.title}: ${one.failure ?? `${one.ms.toFixed(3)} ms`}`);
      results.push(one);
    }
    const { title, against, note, file: kind = name } = workload;
    done.push({ name, kind, title, against, note, measured, results });
  }
  return { size, workloads: done };
}

/** What is measured part by part, each in sections of its own, where that which is measured was built. */
const groups = [
  { name: 'w5', isBuilt: () => process.env.BELLWETHER_DIST && process.env.BELLWETHER_BIN, ...page },
  { name: 'w6', isBuilt: () => process.env.BELLWETHER_BIN, ...gateway },
];

/** Runs the parts of W5 and W6 called `only`, or all of them. A part that fails ends that part alone. */
export async function benchOfParts({ size, only, told = () => {} }) {
  const sections = [];
  const failures = [];
  for (const { name: group, isBuilt, parts, sizes } of groups) {
    for (const [name, part] of Object.entries(parts)) {
      if (!isBuilt() || (only && !only.includes(name) && !only.includes(group))) continue;
      const measured = circumstances();
      try {
        for (const section of await part(sizes[size], (line) => told(`${name}: ${line}`))) sections.push({ name, measured, ...section });
      } catch (error) {
        told(`${name}: ${error.stack}`);
        failures.push(`${name}: ${error.message}`);
      }
    }
  }
  return { sections, failures };
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({
    options: { quick: { type: 'boolean' }, only: { type: 'string' }, json: { type: 'string' }, record: { type: 'string' } },
  });
  const asked = { size: values.quick ? 'quick' : 'full', only: values.only?.split(','), told: console.error };
  const measured = { ...(await bench(asked)), ...(await benchOfParts(asked)) };
  const write = (file, text) => {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  };
  if (values.json) write(values.json, `${JSON.stringify(measured, null, 1)}\n`);
  const failures = measured.workloads.flatMap(({ name, results }) =>
    results.filter(({ failure, isOptional }) => failure && !isOptional).map(({ title, failure }) => `${name}: ${title}: ${failure}`),
  );
  failures.push(...measured.failures);
  const isWhole = !values.only && failures.length === 0;
  if (values.record) write(values.record, isWhole ? report(measured) : merged(values.record, report(measured)));
  console.log(report(measured));
  for (const failure of failures) console.error(`failed: ${failure}`);
  if (failures.length > 0) process.exitCode = 1;
}
