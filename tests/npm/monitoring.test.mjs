// The monitoring module of a grants office: in memory, and through a collector to the real gateway.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { startGateway } from '../browser/support/gateway.mjs';
import { project } from './support/project.mjs';

test('the scorecard is the same in memory and through a collector', async () => {
  const gateway = await startGateway({ flags: ['--no-host-metrics'] });
  const consumer = await project('monitoring');
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ['main.mjs'], {
      cwd: consumer.folder,
      env: { ...process.env, BELLWETHER_URL: gateway.url },
    });
    assert.equal(stderr, '');
    const expected = {
      empty: { avg_resolution_time: 0, avg_satisfaction: 0, total_conflicts: 0 },
      full: { avg_resolution_time: 4.5, avg_satisfaction: 4.2, total_conflicts: 1 },
    };
    assert.deepEqual(JSON.parse(stdout), {
      early: 'not_initialized',
      atOnce: Object.keys(expected.full),
      inMemory: expected,
      through: expected,
    });
  } finally {
    await gateway.stop();
    consumer.remove();
  }
});
