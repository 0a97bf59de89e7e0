// The code in the read-me files runs as it stands; only the gateway's address is changed.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { binary, startGateway, until } from '../browser/support/gateway.mjs';
import { project } from './support/project.mjs';

const run = promisify(execFile);
const root = path.resolve(import.meta.dirname, '../..');

/** The blocks of code in `file` that are marked as `language`. */
function blocks(file, language) {
  const text = readFileSync(path.join(root, file), 'utf8');
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, code]) => code);
}

let gateway;
let consumer;
before(async () => {
  gateway = await startGateway({ flags: ['--no-host-metrics'] });
  consumer = await project('readme');
});
after(async () => {
  await gateway?.stop();
  consumer?.remove();
});

const here = (code) => code.replaceAll('http://127.0.0.1:4000', gateway.url);

const ask = async (parameters) => (await (await fetch(`${gateway.url}/query?${parameters}`)).json()).result ?? 0;

/** Runs `code` as a module that prints `expression`; gives what it printed. */
async function evaluated(code, expression) {
  // Under the name that it says; a file of another kind could not import or await.
  const [, file] = code.match(/^\/\/ (\S+\.mjs)\n/);
  writeFileSync(path.join(consumer.folder, file), `${here(code)}\nconsole.log(JSON.stringify(${expression}));\n`);
  const { stdout } = await consumer.node(file);
  return JSON.parse(stdout);
}

/** The last expression of a block, as it stands before its comment. */
const lastExpression = (code) => code.match(/^(engine\.query\(.*?\));/m)[1];

test('JavaScript over HTTP', async () => {
  const [code] = blocks('README.md', 'js');
  assert.equal(await evaluated(code, 'result'), 120);
});

test('Python', async () => {
  const [code] = blocks('README.md', 'python');
  const { stdout } = await run('python3', ['-c', here(code)]);
  assert.equal(stdout, `${code.match(/# (\{.*\})/)[1]}\n`);
});

test('curl', async () => {
  const [code] = blocks('README.md', 'sh');
  const { stdout } = await run('sh', ['-ec', here(code)]);
  assert.equal(JSON.parse(stdout).result, 1);
});

for (const file of ['README.md', 'crates/wasm/README.md']) {
  test(`the engine, in ${file}`, async () => {
    const code = blocks(file, 'js').find((block) => block.includes('new Engine()'));
    const answer = await evaluated(code, lastExpression(code));
    assert.deepEqual(Object.keys(answer), ['result', 'count', 'from', 'to', 'relativeError']);
    assert.equal(answer.result, 120);
    assert.equal(answer.count, 1);
  });
}

test('the monitoring module', async () => {
  const code = blocks('crates/wasm/README.md', 'js').find((block) => block.includes('new MonitoringModule()'));
  const [, expression, expected] = code.match(/^(monitoring\.getDashboard\(\)); \/\/ (.*)$/m);
  const shown = JSON.stringify(await evaluated(code, expression));
  assert.equal(shown.replaceAll('"', ''), expected.replaceAll(' ', ''));
});

test('the live client', async () => {
  const code = blocks('crates/wasm/README.md', 'js').find((block) => block.includes('connect('));
  // Node has a WebSocket of its own from 22 on.
  const ws = JSON.stringify(pathToFileURL(path.join(import.meta.dirname, 'node_modules/ws/wrapper.mjs')));
  const [name, ...rest] = code.split('\n');
  const whole = [name, `import WebSocket from ${ws};`, 'globalThis.WebSocket ??= WebSocket;', ...rest].join('\n');
  assert.deepEqual(await evaluated(whole, 'live.status'), { state: 'closed' });
});

test('the collector', async () => {
  const code = blocks('crates/wasm/README.md', 'js').find((block) => block.includes('queryMetric('));
  const [, expression, expected] = code.match(/^(await queryMetric\(.*\)); \/\/ (\d+)$/m);
  assert.equal(await evaluated(code, expression), Number(expected));
});

test('the code of the package\'s read-me fits the types', async (t) => {
  const own = await project('readme');
  t.after(() => own.remove());
  symlinkSync(path.join(import.meta.dirname, 'node_modules/@types'), path.join(own.folder, 'node_modules/@types'));
  const files = blocks('crates/wasm/README.md', 'js').map((code) => {
    const [, file] = code.match(/^\/\/ (\S+\.mjs)\n/);
    writeFileSync(path.join(own.folder, file), code);
    return file;
  });
  assert.ok(files.length > 4, files.join(' '));
  const strict = ['--noEmit', '--strict', '--allowJs', '--checkJs', '--skipLibCheck', '--types', 'node', '--target', 'es2022', '--lib', 'es2022,dom'];
  assert.equal(await own.tsc(...strict, '--module', 'nodenext', ...files), '');
});

test('a server whose requests are recorded', async () => {
  const code = blocks('crates/wasm/README.md', 'js').find((block) => block.includes('expressRequests('));
  const [, file] = code.match(/^\/\/ (\S+\.mjs)\n/);
  assert.match(code, /^app\.listen\(3000\);$/m);
  // Express is where the tests have it, and the port is whichever is free.
  const express = JSON.stringify(pathToFileURL(path.join(import.meta.dirname, 'node_modules/express/index.js')));
  const whole = here(code).replace("'express'", express).replace('listen(3000)', "listen(0, '127.0.0.1', function () { console.log(this.address().port); })");
  writeFileSync(path.join(consumer.folder, file), whole);
  const server = spawn(process.execPath, [file], { cwd: consumer.folder, stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const [port] = await once(server.stdout, 'data');
    const answer = await fetch(`http://127.0.0.1:${Number(port)}/slots/monday`);
    assert.equal(await answer.text(), 'none');
    const counted = 'name=http_server_request_duration_seconds&window=5m&agg=count&where=route:/slots/:day';
    await until(async () => (await ask(counted)) === 1, 'the request is recorded');
  } finally {
    server.kill();
  }
});

test('the collector, in README.md', async () => {
  const code = blocks('README.md', 'js').find((block) => block.includes('createCollector'));
  const before = await ask('name=booking_response_time&window=5m&agg=count');
  await evaluated(code, 'null');
  assert.equal(await ask('name=booking_response_time&window=5m&agg=count'), before + 1);
});

/** What a program says that it prints: the comments behind its `console.log` lines. */
const promised = (code) => [...code.matchAll(/^console\.log\(.*\); \/\/ (.*)$/gm)].map(([, line]) => line);

for (const code of blocks('docs/guides/migrate-javascript.md', 'js')) {
  const [, file] = code.match(/^\/\/ (\S+\.mjs)\n/);
  test(`${file} of the migration guide`, async () => {
    writeFileSync(path.join(consumer.folder, file), here(code));
    const { stdout, stderr } = await consumer.node(file);
    assert.equal(stderr, '');
    assert.deepEqual(stdout.trimEnd().split('\n'), promised(code));
  });
}

test('the board in README.md is right', async () => {
  const [board] = blocks('README.md', 'json');
  const file = path.join(consumer.folder, 'my-board.json');
  writeFileSync(file, board);
  await run(binary, ['check', file]);
});
