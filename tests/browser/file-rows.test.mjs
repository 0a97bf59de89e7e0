// What is made of a spreadsheet's rows, without a page.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

const folder = path.resolve(import.meta.dirname, '../../www/file');
const { guess, instant, nothing, number, plain, read } = await import(path.join(folder, 'rows.js'));
const { boardOf, MOST_SHOWN, REACH, survey } = await import(path.join(folder, 'board.js'));
const { TabGateway, millis } = await import(path.join(folder, 'gateway.js'));

const { MOST_BYTES, MOST_ROWS } = await import(path.join(folder, 'read.js'));

const breath = async () => {};
const reader = { order: 'dmy', decimal: '.' };
const rowsOf = (...lines) => lines.map((cells, place) => ({ cells, line: place + 2 }));

test('numbers are read as people write them', () => {
  const check = (text, decimal, expected) => assert.equal(number(text, decimal), expected, `${text} ${decimal}`);
  check('1,234.5', '.', 1234.5);
  check('1.234,5', ',', 1234.5);
  check("1'234.5", '.', 1234.5);
  check('1 234,5', ',', 1234.5);
  check('€ 12.50', '.', 12.5);
  check('40%', '.', 40);
  check('(7)', '.', -7);
  check('−3', '.', -3);
  check('1e3', '.', 1000);
  check('1,2', '.', undefined);
  check('1.2', ',', undefined);
  check('', '.', undefined);
  check('n/a', '.', undefined);
  check('0x10', '.', undefined);
  check('9e999', '.', undefined);
  check('12e4567', '.', undefined);
  check('1,2,3', '.', undefined);
});

test('times are read as people write them, in the order that is chosen', () => {
  const local = (...parts) => new Date(...parts).getTime();
  const check = (text, order, expected) => assert.equal(instant(text, order), expected, `${text} ${order}`);
  check('2025-03-04', 'mdy', local(2025, 2, 4));
  check('2025-03-04T10:00:00Z', 'dmy', Date.UTC(2025, 2, 4, 10));
  check('2025-03-04 10:00:00.250+02:00', 'dmy', Date.UTC(2025, 2, 4, 8, 0, 0, 250));
  check('3/4/2025', 'dmy', local(2025, 3, 3));
  check('3/4/2025', 'mdy', local(2025, 2, 4));
  check('31.12.25 23:59', 'dmy', local(2025, 11, 31, 23, 59));
  check('12/31/2025, 11:30 PM', 'mdy', local(2025, 11, 31, 23, 30));
  check('12/31/2025 12:05 am', 'mdy', local(2025, 11, 31, 0, 5));
  check('1735689600', 'dmy', 1735689600000);
  check('1735689600123', 'dmy', 1735689600123);
  check('31/2/2025', 'dmy', undefined);
  check('13/13/2025', 'dmy', undefined);
  check('2025-03-04 25:00', 'dmy', undefined);
  check('7', 'dmy', undefined);
  check('soon', 'dmy', undefined);
});

test('columns are guessed from their heads and cells', () => {
  const cases = guess(['id', 'agency', 'opened', 'closed'], rowsOf(
    ['A-1', 'Housing', '1/2/2025', '5/2/2025'],
    ['A-2', 'Parks', '3/2/2025', '14/2/2025'],
    ['A-3', 'Housing', '4/2/2025', ''],
  ), { order: 'mdy', decimal: '.' });
  assert.deepEqual([cases.shape, cases.opened, cases.closed, cases.labels, cases.order], ['cases', 2, 3, [1], 'dmy']);
  const long = guess(['name', 'value', 'timestamp', 'route'], rowsOf(
    ['latency', '1,5', '2025-01-01', '/a'],
    ['latency', '2,5', '2025-01-02', '/a'],
  ), reader);
  assert.deepEqual([long.shape, long.name, long.values, long.time, long.labels, long.decimal], ['measured', 0, [1], 2, [3], ',']);
  const wide = guess(['Fecha', 'Ingresos', 'Gastos'], rowsOf(['2025-01-01', '10', '7'], ['2025-01-02', '12', '8']), reader);
  assert.deepEqual([wide.time, wide.values, wide.name], [0, [1, 2], undefined]);
});

test('each row gives samples or a fault with its line', () => {
  const heads = ['name', 'value', 'when', 'team'];
  const mapping = { shape: 'measured', name: 0, values: [1], time: 2, labels: [3], order: 'dmy', decimal: '.' };
  const into = nothing(Date.UTC(2026, 0, 1));
  for (const row of rowsOf(
    ['a', '1', '2025-01-01T00:00:00Z', '<b>x</b>'],
    ['a', 'x', '2025-01-01', ''],
    ['a', '', '2025-01-01', ''],
    ['', '1', '2025-01-01', ''],
    ['a', '1', 'never', ''],
    ['a', '1', '', ''],
    ['a', '1', '2027-01-01', ''],
    ['a', '2', '2025-01-02T00:00:00Z'],
  )) read(row, heads, mapping, into);
  assert.deepEqual(into.faults.map(({ line, reason }) => [line, reason]), [
    [3, 'NoNumber'], [4, 'ValueEmpty'], [5, 'NameEmpty'], [6, 'NoTime'], [7, 'TimeEmpty'], [8, 'Ahead'],
  ]);
  // As it is sent: without regard to how an object of labels came to be.
  assert.deepEqual(structuredClone(into.samples), [
    { name: 'a', value: 1, timestamp: Date.UTC(2025, 0, 1), kind: 'observation', labels: { team: '<b>x</b>' } },
    { name: 'a', value: 2, timestamp: Date.UTC(2025, 0, 2), kind: 'observation', labels: {} },
  ]);
});

test('from one day to another it is whole days, also where the clock is changed between them', () => {
  const zone = process.env.TZ;
  process.env.TZ = 'Europe/Madrid';
  try {
    const mapping = { shape: 'cases', opened: 0, closed: 1, values: [], labels: [], order: 'dmy', decimal: '.' };
    const into = nothing(Date.UTC(2027, 0, 1));
    for (const row of rowsOf(['24/10/2026', '31/10/2026'], ['28.3.2026', '29.3.2026'], ['2026-10-25 00:30', '2026-10-25 12:30'])) {
      read(row, ['opened', 'closed'], mapping, into);
    }
    assert.deepEqual(into.samples.filter(({ name }) => name === 'days_to_close').map(({ value }) => value), [7, 1, 13 / 24]);
  } finally {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  }
});

test('a case counts when it is opened, and has its days when it is closed', () => {
  const mapping = { shape: 'cases', opened: 0, closed: 1, values: [], labels: [], order: 'dmy', decimal: '.' };
  const into = nothing(Date.UTC(2026, 0, 1));
  for (const row of rowsOf(
    ['2025-01-01T00:00:00Z', '2025-01-04T12:00:00Z'],
    ['2025-01-02T00:00:00Z', ''],
    ['2025-01-03T00:00:00Z', '2025-01-02T00:00:00Z'],
    ['', '2025-01-02'],
  )) read(row, ['opened', 'closed'], mapping, into);
  assert.deepEqual(into.samples.map(({ name, value }) => [name, value]), [
    ['opened', 1], ['closed', 1], ['days_to_close', 3.5], ['opened', 1],
  ]);
  assert.deepEqual(into.faults.map(({ line, reason }) => [line, reason]), [[4, 'ClosedFirst'], [5, 'OpenedEmpty']]);
  assert.equal(into.open, 1);
});

test('of many faults all are counted and the first are named', () => {
  const mapping = { shape: 'measured', values: [1, 2], time: 0, labels: [], order: 'dmy', decimal: '.' };
  const into = nothing(Date.UTC(2026, 0, 1));
  for (const row of rowsOf(...Array.from({ length: 200 }, () => ['2025-01-01', 'x', 'y']))) read(row, ['when', 'a', 'b'], mapping, into);
  assert.deepEqual([into.wrong, into.bad, into.faults.length, into.faults[49].line], [400, 200, 50, 26]);
});

test('any head is the name of a label', () => {
  const mapping = { shape: 'measured', values: [1], time: 0, labels: [2], order: 'dmy', decimal: '.' };
  const into = nothing(Date.UTC(2026, 0, 1));
  for (const row of rowsOf(['2025-01-01', '1', 'x'])) read(row, ['when', 'value', '__proto__'], mapping, into);
  assert.equal(JSON.stringify(into.samples[0].labels), '{"__proto__":"x"}');
});

test('a name is text that the engine takes', () => {
  assert.equal(plain(' a\u0000b\n', 'x'), 'a b');
  assert.equal(plain(' \u0007 ', 'x'), 'x');
  assert.equal(Buffer.byteLength(plain('ñ'.repeat(300), 'x')), 256);
  // Between letters: half of one could not be sent.
  assert.equal(plain(`${'a'.repeat(253)}😀`, 'x'), 'a'.repeat(253));
  assert.equal(plain('é'.repeat(40_000_000), 'x'), 'é'.repeat(128));
});

test('what is too old for the page is left out and counted; the board looks back as far as the file does', async () => {
  const day = 86_400_000;
  const at = Date.UTC(2025, 5, 1);
  const sample = (ago) => ({ name: 'a', value: 1, timestamp: at - ago, kind: 'observation', labels: {} });
  const found = await survey([sample(0), sample(91 * day), sample(10 * day)], breath);
  assert.deepEqual([found.kept.length, found.older, found.now, found.oldest], [2, 1, at, at - 10 * day]);
  const choice = { shape: 'measured', title: 'x', label: 'team', figure: 'avg', better: 'lower', target: undefined, words: {} };
  const { page, board } = boardOf(found, choice);
  assert.deepEqual([page, board.kpis[0].query.window, board.panels[0].query.by], ['90d', '30d', ['team']]);
  assert.equal(boardOf(await survey([sample(0), sample(60_000)], breath), choice).page, '5m');
});

test('the languages have the same texts, and the faults and shapes all have one', () => {
  const [en, es] = ['en', 'es'].map((language) => JSON.parse(readFileSync(path.join(folder, `${language}.json`), 'utf8')));
  assert.deepEqual(Object.keys(en), Object.keys(es));
  for (const name of Object.keys(en)) {
    const marks = (text) => [text.split('|').length, [...new Set(text.match(/\{\d\}/g))].sort()];
    assert.deepEqual(marks(en[name]), marks(es[name]), name);
  }
  const source = ['open.js', 'rows.js'].map((name) => readFileSync(path.join(folder, name), 'utf8')).join('\n');
  // Every text is used, and what is used by its name is there.
  for (const name of Object.keys(en)) assert.ok(source.includes(`"${name}"`), `${name} is used`);
  for (const [, name] of source.matchAll(/(?:say|words\.count|fault)\("([A-Za-z]+)"/g)) assert.ok(name in en, name);
});

test('many samples are sorted piece by piece, and those of one time stay as they came', async () => {
  let seed = 7;
  const random = () => { seed = (seed * 48_271) % 2_147_483_647; return seed; };
  const samples = Array.from({ length: 170_001 }, (_, value) => ({ name: `m${value % 3}`, value, timestamp: random() % 5_000, labels: { a: `${value % 4}` } }));
  let breaths = 0;
  const found = await survey(samples, async () => { breaths += 1; });
  assert.ok(breaths > 10, `the page went on ${breaths} times`);
  assert.deepEqual(found.kept, samples.toSorted((one, other) => one.timestamp - other.timestamp));
  assert.deepEqual([...found.series].map(([name, each]) => [name, each.size]), [['m0', 4], ['m1', 4], ['m2', 4]]);
  assert.deepEqual([...found.metrics.values()], [56_667, 56_667, 56_667]);
  assert.deepEqual([found.oldest, found.now, found.older], [0, 5_000, 0]);
});

test('the guide names the bounds that the code has', () => {
  const guide = readFileSync(path.resolve(import.meta.dirname, '../../docs/guides/page.md'), 'utf8');
  const bounds = [
    `of the first ${MOST_SHOWN} `,
    `more than ${REACH / 86_400_000} days older`,
    `rows beyond ${MOST_ROWS.toLocaleString('en')},`,
    `a file of more than ${MOST_BYTES / 2 ** 20} MiB`,
  ];
  for (const bound of bounds) assert.ok(guide.includes(bound), bound);
});

test('the modules agree with the types that they name', () => {
  const compiler = path.resolve(import.meta.dirname, '../../node_modules/typescript/bin/tsc');
  const flags = ['--noEmit', '--allowJs', '--checkJs', '--strict', 'false', '--noImplicitAny', 'false', '--skipLibCheck'];
  const target = ['--target', 'es2023', '--lib', 'es2023,dom,dom.iterable', '--module', 'esnext', '--moduleResolution', 'bundler', '--types', ''];
  const { status, stdout } = spawnSync(process.execPath, [compiler, ...flags, ...target, path.join(folder, 'open.js')], { encoding: 'utf8' });
  assert.equal(status, 0, stdout);
});

test('durations are read as frames write them', () => {
  assert.deepEqual(['1h30m', '90d', '250ms', undefined].map((text) => millis(text)), [5_400_000, 7_776_000_000, 250, 0]);
});

test('a subscription brings what is asked for, in order, and a newer one ends it', async () => {
  const samples = Array.from({ length: 5_000 }, (_, place) => ({ name: place % 2 ? 'odd' : 'even', value: place, timestamp: 1_000 + place }));
  const gateway = new TabGateway({ title: 't', version: 'v', now: 6_000, board: {}, samples });
  const said = [];
  const whole = new Promise((resolve) => {
    gateway.addEventListener('message', ({ data }) => {
      const frame = JSON.parse(data);
      said.push(frame);
      if (frame.type === 'hello') {
        gateway.send(JSON.stringify({ type: 'subscribe', id: 1, metrics: [{ name: 'even', range: '1h' }] }));
        gateway.send(JSON.stringify({ type: 'subscribe', id: 1, metrics: [{ name: 'odd', range: '1s' }], resume: { epoch: 9, seq: 1 } }));
      }
      if (said.filter(({ type }) => type === 'subscribed').length === 2) resolve();
    });
  });
  await whole;
  // The first is answered too, before the second brings anything: the page counts answers.
  assert.deepEqual(said.map(({ type }) => type).filter((type, place, all) => type !== all[place - 1]), ['hello', 'gap', 'subscribed', 'samples', 'tick', 'subscribed']);
  const brought = said.filter(({ type }) => type === 'samples').flatMap((frame) => frame.samples);
  assert.deepEqual(brought, samples.filter(({ name, timestamp }) => name === 'odd' && timestamp > 5_000));
});
