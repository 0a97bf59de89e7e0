// W6: what a sample of this machine's own figures takes on disk. A gateway records the machine for a while; what it has
// recorded goes, as it is but for its hour, into another one that seals it as it seals every hour that is over.
import { execFile } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { serve, withServer } from './servers.mjs';

const run = promisify(execFile);
const HOUR_MS = 3_600_000;
const BATCH = 5_000;

/** What `bellwether verify` says of a copy of a gateway's store. */
async function verified(server) {
  const copy = path.join(server.folder, 'copy');
  mkdirSync(copy, { recursive: true });
  const file = path.join(copy, 'bellwether.redb');
  rmSync(file, { force: true });
  await run(process.env.BELLWETHER_BIN, ['backup', '--gateway', `http://${server.at}`, file]);
  const { stdout } = await run(process.env.BELLWETHER_BIN, ['verify', '--data-dir', copy]);
  const found = stdout.match(/(\d+) samples in (\d+) chunks \((\d+) bytes\), (\d+) summaries of hours \((\d+) bytes\)/);
  const [samples, chunks, chunkBytes, hours, hourBytes] = found.slice(1).map(Number);
  return { samples, chunks, chunkBytes, hours, hourBytes };
}

/** Every sample that a gateway recorded of its machine in so many minutes, as /ingest takes them. */
async function recorded(minutes) {
  return withServer('bellwether', {}, async (server) => {
    await sleep(Math.max(minutes * 60_000, 5_000));
    const answer = await fetch(`http://${server.at}/api/v1/export?format=ndjson`);
    const samples = (await answer.text()).split('\n').filter(Boolean).map((line) => JSON.parse(line));
    return samples.filter(({ name }) => name.startsWith('host_'));
  });
}

/** The store of a gateway that got the same samples in an hour that is over, once it has sealed them. */
async function sealed(samples) {
  const last = Math.max(...samples.map(({ timestamp }) => timestamp));
  const hourOver = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - HOUR_MS;
  const lines = samples.map((sample) => JSON.stringify({ ...sample, timestamp: sample.timestamp - last + hourOver }));
  const flags = ['--no-host-metrics'];
  const taking = await serve('bellwether', { flags });
  try {
    for (let place = 0; place < lines.length; place += BATCH) {
      const body = lines.slice(place, place + BATCH).join('\n');
      const headers = { 'content-type': 'application/x-ndjson' };
      const answer = await fetch(`http://${taking.at}/ingest`, { method: 'POST', headers, body });
      if (answer.status !== 204) throw new Error(`/ingest answered ${answer.status}: ${await answer.text()}`);
    }
  } finally {
    await taking.stop();
  }
  // What comes late for an hour waits for the next one to be over; a start seals it at once.
  return withServer('bellwether', { flags, folder: taking.folder }, async (server) => {
    const deadline = Date.now() + 60_000;
    for (;;) {
      const found = await verified(server);
      if (found.samples >= samples.length) return found;
      if (Date.now() > deadline) throw new Error(`only ${found.samples} of ${samples.length} samples were sealed`);
      await sleep(1_000);
    }
  });
}

export async function disk(size, told) {
  const samples = await recorded(size.diskMinutes);
  const found = await sealed(samples);
  const series = new Set(samples.map(({ name, labels }) => JSON.stringify([name, labels]))).size;
  const row = {
    key: 'bellwether',
    title: `bellwether, ${series} series for ${size.diskMinutes} minutes`,
    version: '',
    samples: found.samples,
    chunkBytes: found.chunkBytes / found.samples,
    hourBytes: found.hourBytes / found.hours,
    // What an hour of samples takes with its summary, as the host's figures come: one a second and series.
    wholeBytes: found.chunkBytes / found.samples + (found.hourBytes / found.hours) * (found.hours / (samples.length * (60 / Math.max(size.diskMinutes, 1)))),
  };
  told(`${row.samples} samples, ${row.chunkBytes.toFixed(2)} bytes each in chunks, ${row.wholeBytes.toFixed(2)} with the summary of their hour`);
  return [{
    title: 'W6: disk for each sample of this machine\'s own figures',
    columns: [
      ['samples', 'samples'],
      ['bytes a sample in chunks', 'chunkBytes'],
      ['bytes of an hour\'s summary', 'hourBytes'],
      ['bytes a sample of a whole hour, with its summary', 'wholeBytes'],
    ],
    rows: [row],
    note: 'Recorded by a gateway of the machine that ran this bench, and sealed as every hour that is over is.',
  }];
}
