// The load of W6: the program that `crates/testkit/examples/load.rs` is, at the path BELLWETHER_LOAD.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

function start(what, options) {
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = spawn(process.env.BELLWETHER_LOAD, [what, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return { child, line: async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`load ${what} ended without a word`);
    return value;
  } };
}

/** Sends remote write for so many seconds; what came of it. */
export async function ingest(server, shape) {
  const { child, line } = start('ingest', { at: server.at, path: server.write, ...shape });
  const told = JSON.parse(await line());
  if (child.exitCode === null) await once(child, 'exit');
  return told;
}

/** Lets so many viewers in and waits until they are; `count` counts what they get, `end` lets them go. */
export async function viewers(server, { path, viewers: many, seconds, protocol = '', say = '' }) {
  const { child, line } = start('viewers', { at: server.at, path, viewers: many, seconds, protocol, say });
  await line();
  return {
    async count() {
      child.stdin.write('\n');
      return JSON.parse(await line());
    },
    async end() {
      child.stdin.write('\n');
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}

/** Sends numbers to so many viewers of ours, one of them stopped and one coming anew each second; how late they come. */
export async function delay(server, shape) {
  const { child, line } = start('delay', { at: server.at, ...shape });
  const told = JSON.parse(await line());
  if (child.exitCode === null) await once(child, 'exit');
  return told;
}
