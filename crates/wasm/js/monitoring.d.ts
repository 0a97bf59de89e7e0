import type { Collector } from './collector.js';
import type { Scorecard } from './index.js';

/**
 * Records the cases of a grants office and gives its scorecard: the average resolution time in days, the average
 * satisfaction and the number of conflicts, over everything kept. Here, and only here, an average over nothing is 0.
 *
 * Without a collector it keeps everything in an engine of its own, for 92 days; `await init()` first. With one it sends
 * to the gateway and asks there, so `getDashboard()` gives a promise.
 *
 * @example
 * await init();
 * const monitoring = new MonitoringModule();
 * monitoring.recordResolutionTime('HA-001', 5);
 * monitoring.recordSatisfaction('HA-001', 4.2);
 * monitoring.recordConflict('HA-002');
 * monitoring.getDashboard(); // { avg_resolution_time: 5, avg_satisfaction: 4.2, total_conflicts: 1 }
 */
export declare class MonitoringModule<Through extends Gateway | undefined = undefined> {
  /** @throws {BellwetherError} `not_initialized` without a collector before `await init()`. */
  constructor(collector?: Through);
  /** Records how many days a case took. In memory a value that is no finite number throws `bad_value`. */
  recordResolutionTime(caseId: string, days: number): void;
  /** Records the score that somebody gave. In memory a value that is no finite number throws `bad_value`. */
  recordSatisfaction(caseId: string, score: number): void;
  /** Records a conflict or an escalation. */
  recordConflict(caseId: string): void;
  /** Through a collector it rejects where the gateway cannot be asked, as `queryMetric` does. */
  getDashboard(): Through extends Gateway ? Promise<Scorecard> : Scorecard;
}

/** The part of a collector that the module uses. */
export type Gateway = Pick<Collector, 'recordMetric' | 'flush' | 'getDashboard'>;
