// The moments at which a process or a page may end.

/** How long a process is held back for what still has to be sent. */
const HOLD_MS = 5_000;

interface Process {
  on(event: string, then: () => void): unknown;
  off(event: string, then: () => void): unknown;
  listenerCount(event: string): number;
  kill(pid: number, signal: string): unknown;
  pid: number;
}

const node: Process | undefined = (globalThis as any).process?.versions?.node && (globalThis as any).process;

/** What a collector does at the end. */
export interface Leaving {
  /** Whether nothing waits. */
  isIdle(): boolean;
  /** Sends all that waits; `false` where that did not work out in time. */
  flush(timeoutMs: number): Promise<boolean>;
  /** Counts and names what is left as lost. */
  giveUp(): Promise<void>;
  /** Sends off what it can at once, without waiting for answers. */
  sendOff(): void;
}

/** Whether this is a page or one of its workers, so that requests must outlive it and be small. */
export const inBrowser = typeof document === 'object' || typeof (globalThis as any).WorkerGlobalScope === 'function';

/** The collectors at work. One listener serves them all. */
const collectors = new Set<Leaving>();
let stopListening: (() => void) | undefined;

/** Has the collector do what is left to do when the process or page ends; gives what stops that. */
export function onLeaving(collector: Leaving): () => void {
  collectors.add(collector);
  stopListening ??= node ? listenToProcess(node) : listenToPage();
  return () => {
    collectors.delete(collector);
    if (collectors.size > 0) return;
    stopListening?.();
    stopListening = undefined;
  };
}

function listenToProcess(process: Process): () => void {
  const leave = async () => {
    // The collectors' own timers let a process end; this one does not.
    const hold = setTimeout(() => {}, 2 * HOLD_MS);
    const left = [...collectors].filter((one) => !one.isIdle());
    const sent = await Promise.all(left.map((one) => one.flush(HOLD_MS)));
    clearTimeout(hold);
    return left.filter((_, place) => !sent[place]);
  };
  const giveUp = (unsent: Leaving[]) => Promise.all(unsent.map((one) => one.giveUp()));
  // It comes again after what it has started is done, until there is nothing more to do.
  const beforeExit = async () => giveUp(await leave());
  const sigterm = async () => {
    const unsent = await leave();
    process.off('SIGTERM', sigterm);
    // Having listened has taken away what the signal does. Where others listen, they decide when the process ends.
    if (process.listenerCount('SIGTERM') > 0) return;
    await giveUp(unsent);
    process.kill(process.pid, 'SIGTERM');
  };
  process.on('beforeExit', beforeExit);
  process.on('SIGTERM', sigterm);
  return () => {
    process.off('beforeExit', beforeExit);
    process.off('SIGTERM', sigterm);
  };
}

function listenToPage(): () => void {
  if (typeof document !== 'object') return () => {};
  const leave = () => collectors.forEach((one) => one.sendOff());
  const hidden = () => {
    if (document.visibilityState === 'hidden') leave();
  };
  addEventListener('pagehide', leave);
  // On phones a page that is switched away from often never hears of its end.
  document.addEventListener('visibilitychange', hidden);
  return () => {
    removeEventListener('pagehide', leave);
    document.removeEventListener('visibilitychange', hidden);
  };
}
