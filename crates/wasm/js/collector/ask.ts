// One request to the gateway, and what its answer means.
import type { Clock, Fetch } from './options.js';

/** How the gateway is reached. */
export interface Door {
  url: string;
  token: string | undefined;
  timeoutMs: number;
  clock: Clock;
  fetch: Fetch;
  keepalive: boolean;
}

/** What a gateway says in JSON; of anybody else's words nothing is known. */
export interface Body {
  result?: unknown;
  groups?: unknown;
  error?: Fault;
  rejected?: readonly Fault[];
  repeated?: boolean;
}

interface Fault {
  code: string;
  message: string;
}

/** An answer, or why there is none. */
export interface Answer {
  /** 0 where there is no answer. */
  status: number;
  /** How long the gateway wants to be left alone. */
  retryAfterMs: number;
  /** The body, where it is JSON. */
  json: Body | undefined;
  /** Why it was refused, or did not arrive. */
  code: string;
  message: string;
  cause?: unknown;
}

/** Asks the gateway at `path`; never rejects. */
export async function ask(door: Door, path: string, headers: { [name: string]: string }, body?: string): Promise<Answer> {
  const abort = new AbortController();
  const disarm = door.clock.after(door.timeoutMs, () => abort.abort());
  try {
    if (door.token) headers['Authorization'] = `Bearer ${door.token}`;
    const response = await door.fetch(door.url + path, {
      method: body === undefined ? 'GET' : 'POST',
      headers,
      redirect: 'error',
      signal: abort.signal,
      ...(body !== undefined && { body, keepalive: door.keepalive }),
    });
    const text = await response.text();
    let json: Body | undefined;
    try {
      json = JSON.parse(text);
    } catch {
      // Not the gateway's own words: a proxy's page, or none.
    }
    const { status } = response;
    return {
      status,
      retryAfterMs: retryAfter(response.headers.get('Retry-After'), door.clock.now()),
      json,
      code: json?.error?.code ?? `http_${status}`,
      message: json?.error?.message ?? `${door.url} answered ${status}`,
    };
  } catch (cause: any) {
    const [code, what] = abort.signal.aborted
      ? ['timed_out', `did not answer within ${door.timeoutMs} ms`]
      : ['unreachable', `cannot be reached (${cause?.cause?.code ?? cause?.message ?? cause})`];
    return { status: 0, retryAfterMs: 0, json: undefined, code, message: `${door.url} ${what}`, cause };
  } finally {
    disarm();
  }
}

/** Seconds or a date; never more than five minutes, so that a slip elsewhere does not silence a service. */
function retryAfter(text: string | null, now: number): number {
  const ms = Number(text) * 1_000 || Date.parse(text ?? '') - now;
  return Math.min(Math.max(ms || 0, 0), 300_000);
}
