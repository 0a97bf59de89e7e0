// Who runs what. Each entry is run in a process of its own.
export const workloads = {
  ingest: {
    title: 'W1: 1 million samples of 100 series in batches of 500, then p50, p95, p99, average and count of each',
    against: 'bellwether',
    full: { samples: 1_000_000, batch: 500, repetitions: 7 },
    quick: { samples: 50_000, batch: 500, repetitions: 1 },
    contenders: ['bellwether', 'by-hand', 'sketches', 'hdr'],
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
};

export const contenders = {
  bellwether: { title: 'bellwether `Engine`', module: './adapter.mjs' },
  'by-hand': { title: 'histogram written by hand in JavaScript', module: './peers/by-hand.mjs' },
  sketches: { title: '@datadog/sketches-js (1 %, slices of 10 s)', module: './peers/sketches.mjs', package: '@datadog/sketches-js' },
  hdr: { title: 'hdr-histogram-js (wasm, slices of 10 s)', module: './peers/hdr.mjs', package: 'hdr-histogram-js' },
};
