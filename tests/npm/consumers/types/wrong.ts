import { Engine } from 'bellwether';

const engine = new Engine();
export const figure: string = engine.query({ name: 'm', window: '5m', agg: 'avg' }).result;
