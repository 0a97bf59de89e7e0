// Compiled, never run: a user of the live client.
import type { Engine, Figure, Groups, Query } from 'bellwether';
import { BellwetherError, connect, type Live, type LiveAlert, type LiveStatus } from 'bellwether/live';

declare const note: (...told: unknown[]) => void;
declare const OwnWebSocket: new (url: string, protocol: string) => import('bellwether/live').LiveWebSocket;

using live: Live = connect('http://127.0.0.1:4000', {
  subscribe: [{ name: 'latency', range: '1h', where: { route: { matches: '/b.*' } } }, { name: 'sent' }],
  step: 'raw', token: 'secret', engine: { maxSeries: 100 }, WebSocket: OwnWebSocket, random: () => 0.5,
  clock: { elapsed: () => 0, after: (ms: number, then: () => void) => then },
  prepare: (engine: Engine, hello) => engine.setBoard(hello.board),
});
await live.ready;
const one: Figure | undefined = live.query({ name: 'latency', window: '5m', agg: 'p99' });
const many: Groups<'route'> | undefined = live.query({ name: 'latency', window: '5m', agg: 'avg', by: ['route'] });
const reused: Query = { name: 'latency', window: '5m', agg: 'avg' };
const either: Figure | Groups | undefined = live.query(reused);
const engine: Engine | undefined = live.engine;
const stop: () => void = live.on('status', (status: LiveStatus) => {
  if (status.state === 'waiting') note(status.reason.code, status.retryInMs);
});
live.on('alerts', (alerts: readonly LiveAlert[]) => note(alerts[0]?.annotations.summary, alerts[0]?.firedAt));
live.on('problem', (problem: BellwetherError) => note(problem.code));
// @ts-expect-error there is no such event
live.on('updated', stop);
export { either, engine, many, one };
