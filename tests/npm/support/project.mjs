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
    async tsc(...parameters) {
      // The one that compiles the collector; the one beside these tests is what the API reference is made with.
      const compiler = path.resolve(here, '../../node_modules/typescript/bin/tsc');
      try {
        return (await run(process.execPath, [compiler, ...parameters], { cwd: folder })).stdout;
      } catch (error) {
        if (error.stdout) return error.stdout;
        throw error;
      }
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
