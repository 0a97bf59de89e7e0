// Who runs what. Each entry is run in a process of its own.
export const workloads = {
  ingest: {
    title: 'W1: 1 million samples of 100 series in batches of 500, then p50, p95, p99, average and count of each',
    against: 'bellwether',
    full: { samples: 1_000_000, batch: 500, repetitions: 7 },
    quick: { samples: 50_000, batch: 500, repetitions: 1 },
    contenders: ['bellwether', 'own-sketches', 'by-hand', 'sketches', 'hdr'],
  },
  'window-fast': {
    file: 'window',
    title: 'W2: window of 5 minutes, 10,000 samples a second, all 100 series asked each second',
    against: 'bellwether',
    full: { rate: 10_000, seconds: 420, warmSeconds: 360, batch: 500, budgetSeconds: 60 },
    quick: { rate: 1_000, seconds: 330, warmSeconds: 310, batch: 500, budgetSeconds: 60 },
    contenders: ['bellwether', 'by-hand', 'sketches', 'hdr'],
  },
  'window-slow': {
    file: 'window',
    title: 'W2: the same at 278 samples a second, for an hour',
    against: 'bellwether',
    full: { rate: 1e6 / 3600, seconds: 3600, warmSeconds: 600, batch: 500, budgetSeconds: 60 },
    quick: { rate: 100, seconds: 330, warmSeconds: 310, batch: 500, budgetSeconds: 60 },
    contenders: ['bellwether', 'by-hand', 'sketches', 'hdr'],
  },
  downsample: {
    title: 'W4: 1 million points, unevenly spaced, to the first, least, greatest and last of 1,000 columns',
    against: 'own-points',
    full: { points: 1_000_000, columns: 1000, repetitions: 30 },
    quick: { points: 100_000, columns: 500, repetitions: 3 },
    contenders: ['own-points', 'm4-by-hand', 'tsdownsample'],
    note: 'Columns by hand hold equally many points; ours are equally wide in time, as pixels are.',
  },
  series: {
    title: '10,000 series at one sample a second each, for an hour',
    against: 'own-series',
    full: { series: 10_000, seconds: 3600, warmSeconds: 300 },
    quick: { series: 500, seconds: 120, warmSeconds: 60 },
    contenders: ['own-series'],
  },
  rules: {
    title: '1,000 alert rules, each over one of 10,000 series, evaluated once',
    against: 'own-rules',
    full: { series: 10_000, rules: 1000, seconds: 60 },
    quick: { series: 200, rules: 100, seconds: 20 },
    contenders: ['own-rules'],
  },
};

export const contenders = {
  bellwether: { title: 'bellwether `Engine`', module: './adapter.mjs' },
  'own-sketches': { title: 'bellwether `Sketches`, without windows', module: './peers/own-sketches.mjs' },
  'own-points': { title: 'bellwether `Points`', module: './peers/own-points.mjs' },
  'own-series': { title: 'bellwether `Engine`', module: './adapter.mjs' },
  'own-rules': { title: 'bellwether `Engine`', module: './adapter.mjs' },
  'm4-by-hand': { title: 'M4 written by hand in JavaScript', module: './peers/m4-by-hand.mjs' },
  tsdownsample: { title: 'tsdownsample (native, through Python)', module: './peers/tsdownsample.mjs', isOptional: true },
  'by-hand': { title: 'histogram written by hand in JavaScript', module: './peers/by-hand.mjs' },
  sketches: { title: '@datadog/sketches-js (1 %, slices of 10 s)', module: './peers/sketches.mjs', package: '@datadog/sketches-js' },
  hdr: { title: 'hdr-histogram-js (wasm, slices of 10 s)', module: './peers/hdr.mjs', package: 'hdr-histogram-js' },
};
