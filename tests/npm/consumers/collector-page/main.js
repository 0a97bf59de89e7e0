import { createCollector } from 'bellwether/collector';

// For the test, in a page; a worker answers what it is told.
globalThis.collector = createCollector({ url: GATEWAY, batchMs: 60_000 });
if (typeof document === 'undefined') {
  onmessage = async () => {
    collector.recordMetric('worker', 1);
    await collector.flush();
    postMessage(collector.counters());
  };
}
