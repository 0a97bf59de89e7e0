import { MonitoringModule, init } from 'bellwether';
import { createCollector } from 'bellwether/collector';

const early = (() => {
  try {
    return new MonitoringModule();
  } catch (error) {
    return error.code;
  }
})();
await init();

async function office(monitoring) {
  const empty = await monitoring.getDashboard();
  monitoring.recordResolutionTime('HA-001', 5);
  monitoring.recordResolutionTime('HA-003', 4);
  monitoring.recordSatisfaction('HA-001', 4.2);
  monitoring.recordConflict('HA-002');
  return { empty, full: await monitoring.getDashboard() };
}

const collector = createCollector({ url: process.env.BELLWETHER_URL });
const inMemory = new MonitoringModule();
console.log(JSON.stringify({
  early,
  atOnce: Object.keys(inMemory.getDashboard()),
  inMemory: await office(inMemory),
  through: await office(new MonitoringModule(collector)),
}));
