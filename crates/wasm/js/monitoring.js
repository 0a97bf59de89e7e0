// The grants office's monitoring module: cases, scores, conflicts, and their three figures.
import { Engine } from './engine.js';

export class MonitoringModule {
  #record;
  #dashboard;

  constructor(collector) {
    if (collector === undefined) {
      const engine = new Engine();
      this.#record = (name, value, { kind, unit }) => engine.record(name, value, { kind, unit });
      this.#dashboard = () => engine.scorecard();
    } else {
      this.#record = (name, value, options) => collector.recordMetric(name, value, undefined, options);
      this.#dashboard = async () => {
        // So that the figures hold what was recorded just before.
        await collector.flush();
        return collector.getDashboard();
      };
    }
  }

  recordResolutionTime(caseId, days) {
    this.#record('resolution_time', days, { kind: 'observation', unit: 'days', ref: caseId });
  }

  recordSatisfaction(caseId, score) {
    this.#record('satisfaction', score, { kind: 'observation', ref: caseId });
  }

  recordConflict(caseId) {
    this.#record('conflict', 1, { kind: 'event', ref: caseId });
  }

  getDashboard() {
    return this.#dashboard();
  }
}
