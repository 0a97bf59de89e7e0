// One contender at one workload, in this process: `node --expose-gc one.mjs <workload> <contender> <full|quick>`.
// Prints one line of JSON.
import { contenders, workloads } from './contenders.mjs';

const [, , workloadName, contenderName, size] = process.argv;
const workload = workloads[workloadName];
const contender = contenders[contenderName];
const { run } = await import(`./workloads/${workload.file ?? workloadName}.mjs`);
const peer = await import(contender.module);
console.log(JSON.stringify(run(peer, workload[size])));
