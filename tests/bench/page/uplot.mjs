// Live charts as somebody would build them with uPlot: each second's worth of points comes ten at a time, and all
// charts are given their arrays anew ten times a second.
import { readFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';

const own = path.join(import.meta.dirname, '../node_modules/uplot');

export const version = JSON.parse(readFileSync(path.join(own, 'package.json'), 'utf8')).version;

/** Runs in the page: draws `charts` of `lines` with `points` each, and moves on when `step` is called. */
function draw({ charts, lines, points, width, height }) {
  const colours = ['#1f77b4', '#b45309', '#15803d'];
  let now = Date.now();
  const value = (chart, line, at) => 50 + 20 * line + 10 * Math.sin(at / 7000 + chart) + ((at / 100) % 7);
  const times = Array.from({ length: points }, (_, place) => now - (points - place) * 100);
  const all = Array.from({ length: charts }, (_, chart) =>
    Array.from({ length: lines }, (_, line) => times.map((at) => value(chart, line, at))));
  const drawn = all.map((columns) => {
    const box = document.body.appendChild(document.createElement('div'));
    box.style.cssText = `width:${width}px;height:${height}px;float:left;overflow:hidden`;
    // One pixel wide, as uPlot draws by itself: wider lines take it far longer.
    const series = [{}, ...columns.map((_, line) => ({ stroke: colours[line], points: { show: false } }))];
    return new uPlot({ width, height, ms: 1, legend: { show: false }, cursor: { show: false }, series }, [times, ...columns], box);
  });
  globalThis.step = () => {
    now += 100;
    times.push(now);
    times.shift();
    for (const [chart, columns] of all.entries()) {
      for (const [line, column] of columns.entries()) {
        column.push(value(chart, line, now));
        column.shift();
      }
      drawn[chart].setData([times, ...columns]);
    }
  };
}

/** Serves the page of uPlot; `shape` is what it draws. */
export async function serve(shape) {
  const page = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><link rel="stylesheet" href="uPlot.css">
<body style="margin:0"><script src="uPlot.js"></script><script>(${draw})(${JSON.stringify(shape)})</script>`;
  const files = {
    '/': ['text/html', page],
    '/uPlot.js': ['text/javascript', readFileSync(path.join(own, 'dist/uPlot.iife.min.js'))],
    '/uPlot.css': ['text/css', readFileSync(path.join(own, 'dist/uPlot.min.css'))],
  };
  const server = http.createServer((request, response) => {
    const [type, body] = files[request.url] ?? ['text/plain', 'not here'];
    response.writeHead(files[request.url] ? 200 : 404, { 'Content-Type': type }).end(body);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => new Promise((resolve) => server.close(resolve)) };
}
