// W5: the real page in Chromium, served by the real gateway and fed over its socket; its strips beside those of uPlot.
// What counts is how long the page's main thread is busy.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { launch, openPage } from '../../browser/support/chromium.mjs';
import { startGateway } from '../../browser/support/gateway.mjs';
import { live } from '../../browser/support/overview.mjs';
import { traced } from './trace.mjs';
import * as uplot from './uplot.mjs';

/** How much is done in the full form and in the quick one, which only shows that it works. */
export const sizes = {
  full: { seconds: 20, settleSeconds: 5, rounds: 3, samplesASecond: 10_000, loads: 5 },
  quick: { seconds: 1, settleSeconds: 0, rounds: 1, samplesASecond: 1_000, loads: 1 },
};

const CHARTS = 12;
const LINES = 3;
/** Points of each line: three minutes of ten a second. */
const POINTS = 1_800;
const TICK_MS = 100;
/** A frame that comes later than this was preceded by one that did not come, at 60 a second. */
const LATE_FRAME_MS = 25;

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const percentile = (values, share) => [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))];
const total = (values) => values.reduce((sum, value) => sum + value, 0);

/** A board of twelve charts, each of the latest figures of a metric by one label. */
const board = (title) => ({
  title,
  metrics: Array.from({ length: CHARTS }, (_, chart) => ({ name: `chart_${chart}`, kind: 'gauge', unit: 'ms' })),
  kpis: [{ id: 'first', title: 'First', unit: 'ms', better: 'lower', target: 100, query: { metric: 'chart_0', window: '1m', agg: 'avg' } }],
  panels: Array.from({ length: CHARTS }, (_, chart) => ({
    id: `chart-${chart}`,
    title: `Chart ${chart + 1}`,
    unit: 'ms',
    query: { metric: `chart_${chart}`, window: '1s', agg: 'last', by: ['line'] },
  })),
});

/** A gateway with that board and nothing else to show, and what takes both away again. */
async function gatewayWith(content) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'bellwether-w5-'));
  const file = path.join(folder, 'board.json');
  writeFileSync(file, JSON.stringify(content));
  const gateway = await startGateway({ flags: ['--no-host-metrics', '--board', file] });
  return Object.assign(gateway, {
    async end() {
      await gateway.stop();
      rmSync(folder, { recursive: true });
    },
  });
}

const value = (chart, line, at) => 50 + 20 * line + 10 * Math.sin(at / 7000 + chart) + ((at / 100) % 7);

/** A sample of each line of each chart at `at`; beyond three lines, they are spread over more series. */
const samplesAt = (at, lines) =>
  Array.from({ length: CHARTS * lines }, (_, place) => {
    const [chart, line] = [place % CHARTS, Math.floor(place / CHARTS)];
    return { name: `chart_${chart}`, value: value(chart, line, at), timestamp: at, labels: { line: `line ${line}` } };
  });

/** Calls `send` ten times a second until the signal; what it gives is how often that was. */
async function tenTimesASecond(signal, send) {
  const began = performance.now();
  let sent = 0;
  while (!signal.aborted) {
    await send(sent);
    sent += 1;
    await sleep(Math.max(0, began + sent * TICK_MS - performance.now()));
  }
  return sent;
}

/** Counts frames in the page; `frames()` tells and forgets the milliseconds from each to the next. */
const countFrames = () => {
  let last = 0;
  let distances = [];
  globalThis.frames_ = () => distances.splice(0);
  const count = (now) => {
    if (last) distances.push(now - last);
    last = now;
    requestAnimationFrame(count);
  };
  requestAnimationFrame(count);
};

/** The main thread of a page while `send` is called ten times a second. */
async function watched(page, seconds, settleSeconds, send) {
  const over = new AbortController();
  const sending = tenTimesASecond(over.signal, send);
  await sleep(settleSeconds * 1000);
  await page.evaluate(countFrames);
  const seen = await traced(page, () => sleep(seconds * 1000));
  const distances = await page.evaluate(() => globalThis.frames_());
  over.abort();
  await sending;
  const busyMs = total(seen.tasks);
  return {
    busyMs,
    ms: seen.ms,
    micros: (busyMs * 1000) / (seen.ms / TICK_MS),
    longestMs: Math.max(...seen.tasks),
    missedShare: distances.filter((distance) => distance > LATE_FRAME_MS).length / distances.length,
  };
}

/** Ours: the page as it comes, with all else that it shows. */
async function ownStrips(browser, size) {
  const gateway = await gatewayWith(board('Strips'));
  try {
    const from = Date.now() - POINTS * TICK_MS;
    for (let place = 0; place < POINTS; place += 20) {
      const ats = Array.from({ length: 20 }, (_, more) => from + (place + more) * TICK_MS);
      await gateway.ingest(ats.flatMap((at) => samplesAt(at, LINES)));
    }
    const { page, context } = await openPage(browser, { allowed: [gateway.url], viewport: { width: 1920, height: 1080 } });
    await page.goto(gateway.url);
    await live(page);
    await page.locator('.strip-canvas').nth(CHARTS - 1).waitFor();
    const box = await page.locator('.strip-canvas').first().evaluate((canvas) => ({ width: canvas.clientWidth, height: canvas.clientHeight }));
    const seen = await watched(page, size.seconds, size.settleSeconds, () => gateway.ingest(samplesAt(Date.now(), LINES)));
    await context.close();
    return { ...seen, box };
  } finally {
    await gateway.end();
  }
}

async function uplotStrips(browser, size, box) {
  const served = await uplot.serve({ charts: CHARTS, lines: LINES, points: POINTS, ...box });
  try {
    const { page, context } = await openPage(browser, { allowed: [new URL(served.url).origin], viewport: { width: 1920, height: 1080 } });
    await page.goto(served.url);
    const seen = await watched(page, size.seconds, size.settleSeconds, () => page.evaluate(() => globalThis.step()));
    await context.close();
    return seen;
  } finally {
    await served.close();
  }
}

async function strips(size, told) {
  const browser = await launch();
  const rounds = { own: [], uplot: [] };
  try {
    for (let round = 0; round < size.rounds; round += 1) {
      const { box, ...own } = await ownStrips(browser, size);
      rounds.own.push(own);
      rounds.uplot.push(await uplotStrips(browser, size, box));
      for (const key of ['own', 'uplot']) told(`${key}: ${(rounds[key].at(-1).micros / 1000).toFixed(2)} ms an update`);
    }
  } finally {
    await browser.close();
  }
  const row = (key, title, version) => {
    const middle = (name) => median(rounds[key].map((one) => one[name]));
    return { key, title, version, ms: middle('micros') / 1000, longestMs: middle('longestMs'), missed: middle('missedShare') * 100 };
  };
  const rows = [row('own', 'the page: strips, legends, tables, a card', ''), row('uplot', 'uPlot, its canvas alone', uplot.version)];
  for (const each of rows) each.ratio = each.ms / rows[0].ms;
  return [{
    title: `W5: ${CHARTS} live charts of ${LINES} lines, ${POINTS.toLocaleString('en-US').replaceAll(',', ' ')} points each, ten updates a second`,
    columns: [
      ['main thread an update, ours = 1', 'ratio'],
      ['ms of main thread an update', 'ms'],
      ['longest task ms', 'longestMs'],
      ['frames missed of 60 a second, %', 'missed'],
    ],
    rows,
    note: 'Ours takes the points from its socket into its engine first, and keeps words and tables up to date; uPlot is handed arrays. All charts are of one size.',
  }];
}

/** Runs before the page's own code: notes when each message came, and when the frame after it was ready to be shown. */
const watchMessages = () => {
  const waits = [];
  globalThis.waits_ = () => waits.splice(0);
  const Socket = globalThis.WebSocket;
  globalThis.WebSocket = class extends Socket {
    constructor(...given) {
      super(...given);
      this.addEventListener('message', () => {
        const came = performance.now();
        requestAnimationFrame(() => {
          // After the frame's work: its style, layout and paint come before the next message of a channel.
          const { port1, port2 } = new MessageChannel();
          port1.onmessage = () => waits.push(performance.now() - came);
          port2.postMessage(0);
        });
      });
    }
  };
};

const setHidden = (isHidden) => {
  Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => (isHidden ? 'hidden' : 'visible') });
  document.dispatchEvent(new Event('visibilitychange'));
};

/** The page under load: visible, then hidden, then back. */
async function underLoad(size, told) {
  const browser = await launch();
  const gateway = await gatewayWith(board('Load'));
  // 17 lines on 12 charts: 204 series.
  const lines = 17;
  const batch = size.samplesASecond / (1000 / TICK_MS);
  try {
    await gateway.ingest(samplesAt(Date.now(), lines));
    const { page } = await openPage(browser, { allowed: [gateway.url], viewport: { width: 1920, height: 1080 } });
    await page.addInitScript(watchMessages);
    await page.goto(gateway.url);
    await live(page);
    const send = () => {
      const now = Date.now();
      const each = samplesAt(now, lines);
      // As many as are asked for, each at an instant of its own.
      return gateway.ingest(Array.from({ length: batch }, (_, place) => ({ ...each[place % each.length], timestamp: now - Math.floor((place / batch) * TICK_MS) })));
    };
    const visible = await watched(page, size.seconds, size.settleSeconds, send);
    const waits = await page.evaluate(() => globalThis.waits_());
    await page.evaluate(setHidden, true);
    const hidden = await watched(page, size.seconds, 1, send);
    const back = await traced(page, async () => {
      await page.evaluate(setHidden, false);
      await sleep(500);
    });
    const busy = ({ busyMs, ms }) => (busyMs / ms) * 100;
    told(`visible ${busy(visible).toFixed(1)} %, hidden ${busy(hidden).toFixed(2)} %, back ${Math.max(...back.tasks).toFixed(0)} ms`);
    const rate = `${batch * (1000 / TICK_MS)} samples a second`;
    return [{
      title: `W5: the page with ${CHARTS} charts and ${CHARTS * lines} series`,
      columns: [
        ['main thread busy, %', 'busy'],
        ['longest task ms', 'longestMs'],
        ['from socket to frame p95 ms', 'p95Ms'],
        ['frames missed of 60 a second, %', 'missed'],
      ],
      rows: [
        { title: `visible, ${rate}`, version: '', busy: busy(visible), longestMs: visible.longestMs, p95Ms: percentile(waits, 0.95), missed: visible.missedShare * 100 },
        { title: `told that it is hidden, ${rate}`, version: '', busy: busy(hidden), longestMs: hidden.longestMs },
        { title: 'the half second in which it comes back', version: '', longestMs: Math.max(...back.tasks) },
      ],
      note: 'Gateway, sender, browser and its drawing in software share the cores. The hidden page is watched by a counter of frames, which its share includes.',
    }];
  } finally {
    await browser.close();
    await gateway.end();
  }
}

/** Runs before the page's own code: notes when the first figure of a card stands there. */
const watchFigures = () => {
  const look = new MutationObserver(() => {
    const [figure] = document.querySelectorAll('[data-kpi] .figure-value');
    if (!figure || !/\d/.test(figure.textContent)) return;
    look.disconnect();
    requestAnimationFrame(() => { globalThis.firstFigure_ = performance.now(); });
  });
  look.observe(document, { subtree: true, childList: true, characterData: true });
};

/** How long a slow machine with a slow line waits for the first figure. */
async function firstFigures(size, told) {
  const browser = await launch();
  const gateway = await gatewayWith(board('First'));
  try {
    const times = { fast: [], slow: [] };
    for (let load = 0; load < size.loads; load += 1) {
      for (const key of ['fast', 'slow']) {
        await gateway.ingest(samplesAt(Date.now(), LINES));
        const { page, context } = await openPage(browser, { allowed: [gateway.url] });
        await page.addInitScript(watchFigures);
        if (key === 'slow') {
          const session = await context.newCDPSession(page);
          await session.send('Emulation.setCPUThrottlingRate', { rate: 4 });
          await session.send('Network.enable');
          const bytesASecond = 10e6 / 8;
          await session.send('Network.emulateNetworkConditions', { offline: false, latency: 40, downloadThroughput: bytesASecond, uploadThroughput: bytesASecond });
        }
        await page.goto(gateway.url);
        await page.waitForFunction(() => globalThis.firstFigure_);
        times[key].push(await page.evaluate(() => globalThis.firstFigure_));
        await context.close();
      }
      told(`first figure after ${times.fast.at(-1).toFixed(0)} ms, slowed ${times.slow.at(-1).toFixed(0)} ms`);
    }
    const row = (key, title) => ({ title, version: '', ms: median(times[key]), most: Math.max(...times[key]) });
    return [{
      title: 'W5: from the address to the first figure, nothing in the cache',
      columns: [['ms', 'ms'], ['longest of all loads ms', 'most']],
      rows: [row('fast', 'this machine'), row('slow', 'processor slowed 4 times, 10 Mbit/s and 40 ms of delay')],
    }];
  } finally {
    await browser.close();
    await gateway.end();
  }
}

export const parts = { 'w5-strips': strips, 'w5-load': underLoad, 'w5-first': firstFigures };
