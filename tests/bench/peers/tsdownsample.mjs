// tsdownsample: Rust with vector instructions, native, through Python; it is timed there.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export const meta = { version: '0.1.5.1' };

export function timed(x, y, columns, repetitions) {
  const python = process.env.BELLWETHER_BENCH_PYTHON;
  if (!python) throw new Error('not installed: `cargo xtask bench` installs it where pip can');
  const folder = mkdtempSync(path.join(tmpdir(), 'bellwether-bench-'));
  try {
    const file = path.join(folder, 'points.f64');
    writeFileSync(file, Buffer.concat([x, y].map((column) => Buffer.from(column.buffer))));
    const script = path.join(import.meta.dirname, 'points_native.py');
    const { ms, places } = JSON.parse(execFileSync(python, [script, file, x.length, columns, repetitions].map(String)).toString());
    return { ms, places: Uint32Array.from(places) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
