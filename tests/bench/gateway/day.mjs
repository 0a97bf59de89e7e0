// W6: p99 over a day of one series with a sample a second.
import { ingest } from './load.mjs';
import { withServer } from './servers.mjs';

const BATCH = 1_800;

/** The question in each server's words. */
const questions = {
  bellwether: (hours) => `/query?name=http_request_duration_ms&window=${hours}h&agg=p99`,
  prometheus: (hours) => `/api/v1/query?query=${encodeURIComponent(`quantile_over_time(0.99, http_request_duration_ms[${hours}h])`)}`,
  victoria: (hours) => `/api/v1/query?query=${encodeURIComponent(`quantile_over_time(0.99, http_request_duration_ms[${hours}h])`)}&nocache=1`,
};

const figures = {
  bellwether: ({ result }) => result,
  prometheus: ({ data }) => Number(data.result[0]?.value[1]),
  victoria: ({ data }) => Number(data.result[0]?.value[1]),
};

async function asked(key, size) {
  return withServer(key, {}, async (server) => {
    const hours = size.day / 3600;
    const from = Date.now() - size.day * 1000;
    const told = await ingest(server, { connections: 1, seconds: 120, batch: BATCH, series: 1, batches: size.day / BATCH, from, 'step-ms': 1000 });
    if (told.refused > 0 || told.samples !== size.day) throw new Error(`${key}: ${JSON.stringify(told)}`);
    // VictoriaMetrics shows what came within a second or so only when it is asked to.
    if (key === 'victoria') await (await fetch(`http://${server.at}/internal/force_flush`)).text();
    const waits = [];
    let figure;
    for (let count = 0; count < size.queries; count += 1) {
      const began = performance.now();
      const answer = await fetch(`http://${server.at}${questions[key](hours)}`);
      const text = await answer.text();
      waits.push(performance.now() - began);
      if (!answer.ok) throw new Error(`${key} answered ${answer.status}: ${text}`);
      figure = figures[key](JSON.parse(text));
    }
    if (!(figure > 0)) throw new Error(`${key} has no figure: ${figure}`);
    waits.sort((a, b) => a - b);
    const micros = waits[waits.length >> 1] * 1000;
    return { key, title: server.title, version: server.version, micros, ms: micros / 1000, p99Ms: waits[Math.floor((waits.length - 1) * 0.99)], figure };
  });
}

export async function queryOfADay(size, told, who = Object.keys(questions)) {
  const rows = [];
  for (const key of who) {
    rows.push(await asked(key, size));
    told(`${key}: ${rows.at(-1).ms.toFixed(2)} ms, ${rows.at(-1).figure}`);
  }
  for (const row of rows) row.ratio = row.micros / rows[0].micros;
  return [{
    title: `W6: p99 over ${size.day / 3600} hours of one series, a sample a second, over HTTP`,
    columns: [
      ['time, ours = 1', 'ratio'],
      ['median ms', 'ms'],
      ['p99 ms', 'p99Ms'],
      ['the figure', 'figure'],
    ],
    rows,
    note: `Of ${size.queries} questions, one after the other; the values are random between 20 and 60. Ours answers out of sketches (within 0.54 %), the others out of the samples.`,
  }];
}
