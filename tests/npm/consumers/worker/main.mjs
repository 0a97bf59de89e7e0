import { Worker } from 'node:worker_threads';

const worker = new Worker(new URL('./worker.mjs', import.meta.url), { workerData: [1, 2, 3, 4] });
worker.on('message', (answer) => console.log(JSON.stringify(answer)));
