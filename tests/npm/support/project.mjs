// A new project of a user: a folder of its own with the packed package installed in it.
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const here = path.resolve(import.meta.dirname, '..');

/** The packed package under test. */
export const packed = process.env.BELLWETHER_NPM_TGZ;

/** Copies `consumers/<name>` to an empty folder and installs the package there, without a network. */
export async function project(name) {
  if (!packed) throw new Error('BELLWETHER_NPM_TGZ must name the packed package; `cargo xtask npm` makes it');
  const folder = mkdtempSync(path.join(tmpdir(), `bellwether-${name}-`));
  cpSync(path.join(here, 'consumers', name), folder, { recursive: true });
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ name: `${name}-consumer`, private: true, type: 'module' }));
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', '--no-save', packed], { cwd: folder });
  return {
    folder,
    /** Runs Node in the project; gives what it printed and what it complained of. */
    node: (...parameters) => run(process.execPath, parameters, { cwd: folder }),
    /** Type-checks the project; gives the compiler's complaints, empty where there are none. */
    tsc: (...parameters) => complaints(path.resolve(here, '../../node_modules/typescript'), folder, parameters),
    /** The same with the compiler before, as many projects still have it; the API reference is made with it too. */
    earlierTsc: (...parameters) => complaints(path.join(here, 'node_modules/typescript'), folder, parameters),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

async function complaints(compiler, folder, parameters) {
  try {
    return (await run(process.execPath, [path.join(compiler, 'bin/tsc'), ...parameters], { cwd: folder })).stdout;
  } catch (error) {
    if (error.stdout) return error.stdout;
    throw error;
  }
}
