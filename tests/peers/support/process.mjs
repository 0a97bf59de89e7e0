// Other people's programs, started for a test and ended with it.
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';

/** A port of loopback that nobody listens on now. */
export async function freePort() {
  const server = createServer();
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts a program; `log()` is what it has said, `stop()` ends it and waits. */
export function start(program, args, options = {}) {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => { log += bytes; });
  const ended = new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', (error) => resolve({ error }));
  });
  return {
    log: () => log,
    ended,
    async stop() {
      child.kill('SIGTERM');
      return ended;
    },
  };
}

/** Every sample that is stored, as `/api/v1/export` gives it. */
export async function stored(gateway, query = '') {
  const answer = await fetch(`${gateway.url}/api/v1/export?format=ndjson${query}`);
  if (!answer.ok) throw new Error(`/api/v1/export answered ${answer.status}: ${await answer.text()}`);
  const lines = (await answer.text()).split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line));
}

/** One name for a series, whatever the order of its labels. */
export function seriesName(name, labels = {}) {
  const pairs = Object.entries(labels).filter(([, value]) => value !== '').sort(([a], [b]) => (a < b ? -1 : 1));
  return `${name}${JSON.stringify(pairs)}`;
}
