// Starts the real gateway on a free port, with a data folder of its own.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../../..');
export const binary = process.env.BELLWETHER_BIN ?? path.join(root, 'target/gateway/bellwether');
export const dist = process.env.BELLWETHER_DIST ?? path.join(root, 'dist');

/** A folder that `remove()` takes away again. */
export function temporaryFolder() {
  const folder = mkdtempSync(path.join(tmpdir(), 'bellwether-'));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/**
 * Starts `bellwether serve` and waits until it is ready.
 *
 * `flags` are added to its command line. The same `dataDir` and `port` may be given again after
 * `kill()`, to show a restart. Without a `dataDir` the gateway gets one that goes with it.
 */
export async function startGateway({ flags = [], dataDir, port = 0 } = {}) {
  const own = dataDir ? undefined : temporaryFolder();
  const child = spawn(
    binary,
    ['serve', '--port', String(port), '--data-dir', dataDir ?? own.folder, '--page', dist, ...flags],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let log = '';
  child.stderr.on('data', (bytes) => { log += bytes; });
  const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
  const url = await new Promise((resolve, reject) => {
    let said = '';
    child.stdout.on('data', (bytes) => {
      said += bytes;
      const found = said.match(/Bellwether is at (http:\/\/\S+)/);
      if (found) resolve(found[1].replace(/\/$/, ''));
    });
    child.once('error', reject);
    ended.then(({ code }) => reject(new Error(`the gateway ended with ${code} before it was up:\n${said}${log}`)));
  });
  const gateway = {
    url,
    port: Number(new URL(url).port),
    /** What it has logged until now. */
    log: () => log,
    /** Posts samples as a service would; fails unless the gateway says that all are stored. */
    async ingest(samples) {
      const answer = await fetch(`${url}/ingest`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(samples),
      });
      if (answer.status !== 204) throw new Error(`/ingest answered ${answer.status}: ${await answer.text()}`);
    },
    /** `kill -9`, then waits for the end. */
    async kill() {
      child.kill('SIGKILL');
      return ended;
    },
    /** SIGTERM, then waits for the end; takes its own data folder away. */
    async stop() {
      child.kill('SIGTERM');
      const end = await ended;
      own?.remove();
      return end;
    },
  };
  await until(async () => (await fetch(`${url}/-/ready`)).ok, 'the gateway is ready');
  return gateway;
}

/** Asks `condition` again and again until it holds; fails with `what` after `timeoutMs`. */
export async function until(condition, what, timeoutMs = 15_000) {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const found = await Promise.resolve().then(condition).catch(() => false);
    if (found) return found;
    if (performance.now() > end) throw new Error(`waited ${timeoutMs} ms in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
