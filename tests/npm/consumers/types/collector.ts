// Compiled, never run: what must and what must not type-check for a user of the collector and the monitoring module.
import { BellwetherError, MonitoringModule, type BellwetherError as SameError } from 'bellwether';
import {
  BellwetherError as CollectorError,
  createCollector,
  expressRequests,
  fastifyRequests,
  queryMetric,
  recordMetric,
  type Collector,
  type Counters,
  type Problem,
} from 'bellwether/collector';

recordMetric('booking_response_time', 120);
recordMetric('booking_response_time', 120, { route: '/book' }, { kind: 'observation', unit: 'ms', ref: 'HA-001' });
const average: number | null = await queryMetric('booking_response_time', { window: '5m', agg: 'avg' });
const groups = await queryMetric('booking_response_time', { window: '5m', agg: 'p95', by: ['route'] });
const route: string | undefined = groups[0]?.labels.route;

const collector: Collector = createCollector({
  url: 'http://metrics-store:4000',
  token: process(),
  labels: { service: 'booking' },
  onProblem: ({ code, lost }: Problem) => void [code, lost],
});
const { timer, time, flush, close, counters } = collector;
const ms: number = timer('booking_response_time')({ outcome: 'booked' });
const slot: number = time('booking_response_time', () => 7);
const promised: Promise<string> = time('booking_response_time', async () => 'a');
const sent: boolean = await flush();
const all: Counters = await close(1_000);
const { waiting } = counters();
expressRequests(collector)({ method: 'GET' }, { statusCode: 200, once: () => {} }, () => {});
fastifyRequests(collector)({ method: 'GET' }, { statusCode: 200, elapsedTime: 1 }, () => {});

const inMemory = new MonitoringModule();
const card: number = inMemory.getDashboard().avg_resolution_time;
const through = new MonitoringModule(collector);
const asked: number = (await through.getDashboard()).total_conflicts;
const same: SameError = new CollectorError('code', 'text');

// @ts-expect-error the gateway's address is needed
createCollector({ token: 'secret' });
// @ts-expect-error a value is a number
recordMetric('booking_response_time', '120');
// @ts-expect-error labels are text
recordMetric('booking_response_time', 120, { status: 200 });
// @ts-expect-error there is no such kind
recordMetric('booking_response_time', 120, {}, { kind: 'histogram' });
// @ts-expect-error a group has only the labels asked for
groups[0]?.labels.host;
// @ts-expect-error through a collector the scorecard is a promise
through.getDashboard().total_conflicts;

function process(): string | undefined {
  return BellwetherError.name;
}

export { all, asked, average, card, ms, promised, route, same, sent, slot, waiting };
