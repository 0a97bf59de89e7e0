// The types written for people must be those that wasm-bindgen made of the engine.
import type * as Written from 'bellwether';
import type * as Generated from './node_modules/bellwether/dist/bellwether.js';

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;

type Arity<Method> = Method extends (...parameters: infer Parameters extends unknown[]) => unknown
  ? Parameters['length']
  : never;

// `query` is overloaded by hand; both overloads take one query.
type Arities<Class> = { [Name in keyof Class]: Arity<Class[Name]> };

// Listeners are kept in JavaScript.
type WrittenEngine = Omit<Written.Engine, 'onAlert'>;

export const sameMembers: Same<keyof WrittenEngine, keyof Generated.Engine> = true;
export const sameArities: Same<Arities<WrittenEngine>, Arities<Generated.Engine>> = true;
export const samePoints: Same<Arities<Written.Points>, Arities<Generated.Points>> = true;
export const sameSketch: Same<Arities<Written.Sketch>, Arities<Generated.Sketch>> = true;
export const sameSketches: Same<Arities<Written.Sketches>, Arities<Generated.Sketches>> = true;
export const sameTable: Same<Arities<Written.Table>, Arities<Generated.Table>> = true;
export const sameConstructor: Same<
  ConstructorParameters<typeof Written.Engine>['length'],
  ConstructorParameters<typeof Generated.Engine>['length']
> = true;
export const sameExports: Same<
  Exclude<keyof typeof Written, 'init' | 'MonitoringModule'>,
  Exclude<keyof typeof Generated, 'default' | 'initSync'>
> = true;
