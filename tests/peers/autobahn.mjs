// Autobahn's WebSocket test suite against the stack of the live feed; writes docs/autobahn.md. It takes a Python 2.7,
// which the suite is written for, and about two minutes, so it is run by hand: `node tests/peers/autobahn.mjs`.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { start } from './support/process.mjs';

const root = path.resolve(import.meta.dirname, '../..');
const requirements = path.join(import.meta.dirname, 'autobahn/requirements.txt');
const work = path.join(root, 'target/autobahn');
/** Longer than the longest message of the suite, 16 MiB. */
const RAISED_BYTES = 17_000_000;
const GROUPS = {
  1: 'framing',
  2: 'pings and pongs',
  3: 'reserved bits',
  4: 'opcodes',
  5: 'fragmentation',
  6: 'UTF-8',
  7: 'closing',
  9: 'long messages, many messages',
  10: 'other',
  12: 'compression, sizes',
  13: 'compression, parameters',
};
/** The suite's word for what was seen, and what stands for it in the page. */
const BEHAVIOURS = { OK: 'passed', 'NON-STRICT': 'not strict', INFORMATIONAL: 'told only', UNIMPLEMENTED: 'not offered', FAILED: 'failed' };

function run(program, args, options = {}) {
  const { status, error, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1e9, ...options });
  if (error) throw error;
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}:\n${stdout}${stderr}`);
  return stdout;
}

/** A Python 2.7: `BELLWETHER_PYTHON2`, one on the path, or one that pyenv has. */
function python2() {
  const versions = path.join(os.homedir(), '.pyenv/versions');
  const ofPyenv = existsSync(versions) ? readdirSync(versions).filter((name) => name.startsWith('2.7')) : [];
  const candidates = [process.env.BELLWETHER_PYTHON2, 'python2.7', ...ofPyenv.map((name) => path.join(versions, name, 'bin/python2.7'))];
  const found = candidates.filter(Boolean).find((python) => spawnSync(python, ['-m', 'pip', '--version']).status === 0);
  if (!found) throw new Error('There is no Python 2.7 with pip; name one in BELLWETHER_PYTHON2 (`pyenv install 2.7.18` builds one).');
  return found;
}

/** The suite's program, installed once. */
function wstest() {
  const folder = path.join(work, 'python');
  const program = path.join(folder, 'bin/wstest');
  const stamp = path.join(folder, 'requirements.txt');
  const wanted = readFileSync(requirements, 'utf8');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return program;
  console.log('Installing the suite (once; about a minute).');
  rmSync(folder, { recursive: true, force: true });
  const python = python2();
  const maker = path.join(work, 'virtualenv');
  run(python, ['-m', 'pip', 'install', '--quiet', '--upgrade', '--target', maker, 'virtualenv==20.15.1']);
  run(python, ['-m', 'virtualenv', '--quiet', folder], { env: { ...process.env, PYTHONPATH: maker } });
  run(path.join(folder, 'bin/pip'), ['install', '--quiet', '--requirement', requirements]);
  writeFileSync(stamp, wanted);
  return program;
}

/** The echo server's program. */
function echoServer() {
  const messages = run('cargo', ['build', '--locked', '--quiet', '-p', 'bellwether-gateway', '--example', 'websocket_echo', '--message-format=json'], { cwd: root });
  return messages.split('\n').filter(Boolean).map((line) => JSON.parse(line)).findLast((message) => message.executable).executable;
}

/** Starts an echo server; it, where it is, and what it takes. */
async function echo(program, args) {
  const server = start(program, args);
  while (!server.log().includes('\n')) {
    const ended = await Promise.race([server.ended, new Promise((resolve) => { setTimeout(resolve, 10); })]);
    if (ended) throw new Error(`the echo server ended: ${server.log()}`);
  }
  const [url, longest] = server.log().trim().split(' ');
  return { server, url, longest: Number(longest) };
}

/** What each server did in each case: `{ limits: { '1.1.1': { behavior, … } }, raised: … }`. */
async function results(program) {
  const servers = { limits: await echo(program, []), raised: await echo(program, [String(RAISED_BYTES)]) };
  try {
    const reports = path.join(work, 'reports');
    rmSync(reports, { recursive: true, force: true });
    mkdirSync(reports, { recursive: true });
    const spec = path.join(work, 'spec.json');
    const named = Object.entries(servers).map(([agent, { url }]) => ({ agent, url }));
    writeFileSync(spec, JSON.stringify({ outdir: reports, servers: named, cases: ['*'], 'exclude-cases': [], 'exclude-agent-cases': {} }));
    console.log('Running every case against both servers.');
    run(wstest(), ['--mode', 'fuzzingclient', '--spec', spec], { cwd: work });
    return { longest: servers.limits.longest, ...JSON.parse(readFileSync(path.join(reports, 'index.json'), 'utf8')) };
  } finally {
    for (const { server } of Object.values(servers)) await server.stop();
  }
}

const byNumber = (a, b) => a.localeCompare(b, 'en', { numeric: true });

/**
 * Closed for its length alone, and all is well where such a message may come: with the code for that or, where the reset of
 * what is still on its way overtakes it, with none.
 */
const isTooLong = (name, { limits, raised }) =>
  name.startsWith('9.') && [1009, null].includes(limits[name].remoteCloseCode) && raised[name].behavior === 'OK';

function page({ longest, limits, raised }, failed) {
  const version = /^autobahntestsuite==(.*)$/m.exec(readFileSync(requirements, 'utf8'))[1];
  const names = Object.keys(raised).sort(byNumber);
  const counts = (group, of) => {
    const told = {};
    for (const name of names.filter((each) => each.split('.')[0] === group)) {
      const word = of === limits && limits[name].behavior === 'FAILED' && isTooLong(name, { limits, raised }) ? 'over the limit' : BEHAVIOURS[of[name].behavior];
      told[word] = (told[word] ?? 0) + 1;
    }
    return Object.entries(told).map(([word, count]) => `${count} ${word}`).join(', ');
  };
  const row = (group) => `| ${group} | ${GROUPS[group]} | ${counts(group, raised)} | ${counts(group, limits)} |`;
  const named = (word) => names.filter((name) => raised[name].behavior === word).join(', ');
  return `# Autobahn's WebSocket test suite

Written by \`node tests/peers/autobahn.mjs\` on ${new Date().toISOString().slice(0, 10)}, with autobahntestsuite ${version}: ${names.length} cases, ${failed.length === 0 ? 'none of which failed' : `of which failed: ${failed.join(', ')}`}.

What is tested is an echo server (\`crates/gateway/examples/websocket_echo.rs\`), since the suite's client needs one and the live feed says nothing back. It is made of the feed's own parts: the same WebSocket library with the bounds, buffers and closing codes of \`crates/gateway/src/websocket.rs\`, which the feed is served with too. The heads of live frames the feed writes itself ([ADR 12](adr/0012-courier.md)); that is seen by the clients of other tests, and by browsers. What comes before, the handshake with its checks of origin, token and subprotocol, and what the feed makes of a message, are other tests'.

The suite is run twice: with messages of up to ${RAISED_BYTES.toLocaleString('en')} bytes, so that its longest ones fit, and with the limit that a gateway has by itself, ${longest.toLocaleString('en')} bytes.

| cases | about | with long messages | as a gateway is by itself |
| --- | --- | --- | --- |
${Object.keys(GROUPS).map(row).join('\n')}

- *over the limit*: the case sends a longer message than a gateway takes, and the connection is closed with the code for that, 1009, which the reset of what is still on its way may overtake; with long messages it passed.
- *not strict* (${named('NON-STRICT')}): text that is not UTF-8 is refused with 1007 once its message or frame is complete, where the suite would like to see it at the first wrong byte. RFC 6455 does not say which.
- *told only* (${named('INFORMATIONAL')}): the suite records what is done where the RFC leaves it open.
- *not offered*: compression (permessage-deflate) is off in the live feed: its frames are packed already, and a shared secret beside a reader's text would show in its length. The suite asks for it, and gets a connection without.
`;
}

const seen = await results(echoServer());
const failed = Object.keys(seen.raised).sort(byNumber).filter((name) => {
  const isFailed = (of) => of[name].behavior === 'FAILED' || of[name].behaviorClose === 'FAILED' || (of[name].behavior === 'UNIMPLEMENTED' && !/^1[23]\./.test(name));
  return !(name in seen.limits) || isFailed(seen.raised) || (isFailed(seen.limits) && !isTooLong(name, seen));
});
writeFileSync(path.join(root, 'docs/autobahn.md'), page(seen, failed));
console.log(failed.length === 0 ? 'No case failed; docs/autobahn.md is written.' : `These cases failed: ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
