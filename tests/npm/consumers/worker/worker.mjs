import { parentPort, workerData } from 'node:worker_threads';
import { Engine, init } from 'bellwether';

await init();
const engine = new Engine();
for (const value of workerData) engine.record('m', value);
parentPort.postMessage(engine.query({ name: 'm', window: '1m', agg: 'sum' }));
