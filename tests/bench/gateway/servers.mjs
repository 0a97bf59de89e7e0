// The servers of W6: each started on a free port of loopback with a folder of its own, as its makers ship it.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';

/** Ticks of the system's clock a second, as /proc counts processor time. */
const TICKS = 100;

/** A port of loopback that nobody listens on now. */
async function freePort() {
  const server = createServer();
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Whether it serves; while Prometheus still reads its folder, it says 503. */
const answers = (at) => fetch(`http://${at}/`).then(({ status }) => status < 500, () => false);

/** Every server: its command line on a port and in a folder, its path for remote write, and how many samples it says it has. */
const programs = {
  bellwether: {
    title: 'bellwether, fsync before each answer',
    version: async () => execFileSync(process.env.BELLWETHER_BIN, ['--version'], { encoding: 'utf8' }).trim().split(' ').at(-1),
    command: (port, folder) => [process.env.BELLWETHER_BIN, 'serve', '--port', port, '--data-dir', path.join(folder, 'data'), '--page', folder],
    write: '/api/v1/write',
    stored: async (at) => number(at, /^gateway_samples_accepted_total (\S+)/m),
  },
  prometheus: {
    title: 'Prometheus (no fsync before the answer)',
    version: async (at) => (await (await fetch(`http://${at}/api/v1/status/buildinfo`)).json()).data.version,
    command: (port, folder) => {
      writeFileSync(path.join(folder, 'prometheus.yml'), 'global: {scrape_interval: 1h}\n');
      return ['prometheus', `--config.file=${folder}/prometheus.yml`, `--storage.tsdb.path=${folder}/data`,
        `--web.listen-address=127.0.0.1:${port}`, '--web.enable-remote-write-receiver'];
    },
    write: '/api/v1/write',
    stored: async (at) => number(at, /^prometheus_tsdb_head_samples_appended_total(?:\{type="float"\})? (\S+)/m),
  },
  victoria: {
    title: 'VictoriaMetrics (no fsync before the answer)',
    version: async (at) => (await (await fetch(`http://${at}/metrics`)).text()).match(/short_version="v?([^"]*)"/)?.[1] ?? '',
    command: (port, folder) => ['victoria-metrics', `-storageDataPath=${folder}/data`, `-httpListenAddr=127.0.0.1:${port}`, '-retentionPeriod=1', '-search.latencyOffset=0s'],
    write: '/api/v1/write',
    stored: async (at) => number(at, /^vm_rows_inserted_total\{type="promremotewrite"[^}]*\} (\S+)/m),
  },
  ws: {
    title: 'Node `ws`, frame built once',
    version: async () => JSON.parse(readFileSync(path.join(import.meta.dirname, '../node_modules/ws/package.json'), 'utf8')).version,
    command: (port) => [process.execPath, path.join(import.meta.dirname, 'ws-server.mjs'), port],
  },
};

async function number(at, pattern) {
  return Number((await (await fetch(`http://${at}/metrics`)).text()).match(pattern)?.[1] ?? 0);
}

/** Starts the server called `key`, in an empty folder or that of one that was stopped, and waits until it answers. */
export async function serve(key, { flags = [], folder = mkdtempSync(path.join(os.tmpdir(), `bellwether-bench-${key}-`)) } = {}) {
  const program = programs[key];
  const port = await freePort();
  const [command, ...args] = program.command(String(port), folder);
  const child = spawn(command, [...args, ...flags], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (bytes) => { said = (said + bytes).slice(-4000); });
  let isOver = false;
  const ended = new Promise((resolve) => {
    child.once('exit', resolve);
    child.once('error', resolve);
  }).then((why) => {
    isOver = true;
    return why;
  });
  const at = `127.0.0.1:${port}`;
  while (!(await answers(at))) {
    if (isOver) throw new Error(`${key} does not start: ${said || await ended}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    key,
    at,
    folder,
    title: program.title,
    write: program.write,
    version: await program.version(at),
    stored: () => program.stored(at),
    /** Processor seconds that it has taken so far. */
    cpu() {
      const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1].split(' ');
      return (Number(fields[11]) + Number(fields[12])) / TICKS;
    },
    /** The same of those of its threads that have this name, to the nanosecond. */
    cpuOf(name) {
      const tasks = `/proc/${child.pid}/task`;
      const nanos = (task) => Number(readFileSync(`${tasks}/${task}/schedstat`, 'utf8').split(' ')[0]);
      const named = readdirSync(tasks).filter((task) => readFileSync(`${tasks}/${task}/comm`, 'utf8').trim() === name);
      if (named.length === 0) throw new Error(`${key} has no thread called ${name}`);
      return named.reduce((sum, task) => sum + nanos(task), 0) / 1e9;
    },
    memoryMb: () => Number(readFileSync(`/proc/${child.pid}/statm`, 'utf8').split(' ')[1]) * 4096 / 1e6,
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Runs `use` with a server, which is stopped and whose folder is removed at the end. */
export async function withServer(key, options, use) {
  const server = await serve(key, options);
  try {
    return await use(server);
  } finally {
    await server.stop();
    server.remove();
  }
}
