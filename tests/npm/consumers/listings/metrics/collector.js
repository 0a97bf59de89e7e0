// Collector sends and queries metrics

export function recordMetric(name, value) {
  // In reality, batch and retry for efficiency
  fetch('http://metrics-store:4000/ingest', {
    method: 'POST',
    headers: {'Content-Type':'application/json'},
    body: JSON.stringify({ name, value, timestamp: Date.now() })
  });
}

export async function queryMetric(name, { window, agg }) {
  const res = await fetch(
    `http://metrics-store:4000/query?name=${name}&window=${window}&agg=${agg}`
  );
  const data = await res.json();
  return data.result;
}
