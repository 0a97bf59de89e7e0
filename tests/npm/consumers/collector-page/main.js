import { createCollector } from 'bellwether/collector';

// For the test, in a page; a worker answers what it is told.
globalThis.collect = (options) => createCollector({ url: GATEWAY, batchMs: 60_000, ...options });
globalThis.collector = collect();
if (typeof document === 'undefined') {
  onmessage = async () => {
    collector.recordMetric('worker', 1);
    await collector.flush();
    postMessage(collector.counters());
  };
}
