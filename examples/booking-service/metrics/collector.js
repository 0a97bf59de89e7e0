// Collector sends and queries metrics
const gateway = process.env.BELLWETHER_URL ?? 'http://127.0.0.1:4000';

export function recordMetric(name, value) {
  // In reality, batch and retry for efficiency
  ask('/ingest', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ name, value, timestamp: Date.now() }),
  }).catch((error) => console.warn(`${name} was not recorded: ${error.message}`)); // and the service goes on
}

export async function queryMetric(name, { window, agg }) {
  const res = await ask(`/query?${new URLSearchParams({ name, window, agg })}`);
  const { result } = await res.json();
  return result;
}

// Whatever goes wrong, also what the gateway refuses, becomes an error that says why.
async function ask(path, options) {
  const res = await fetch(gateway + path, options).catch((error) => {
    throw new Error(`${gateway} cannot be reached (${error.cause?.code ?? error.message})`);
  });
  if (!res.ok) throw new Error(`${gateway} answered ${res.status} ${await res.text()}`);
  return res;
}
