// Records the samples and answers the queries that the test wrote beside this file.
import { readFileSync } from 'node:fs';
import { Engine, init } from 'bellwether';

const { now, samples, queries } = JSON.parse(readFileSync(new URL('./task.json', import.meta.url), 'utf8'));
await init();
const engine = new Engine({ clock: () => now });
for (const { name, value, timestamp, labels, kind } of samples) engine.record(name, value, { timestamp, labels, kind });
console.log(JSON.stringify(queries.map((query) => engine.query(query))));
