import { Engine, init } from 'bellwether';

export const ready: Promise<void> = init();
export const make = (): Engine => new Engine();
