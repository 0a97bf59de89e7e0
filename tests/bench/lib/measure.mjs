// Medians, and memory in MB of 1,000,000 bytes.

export function percentile(numbers, q) {
  const sorted = Float64Array.from(numbers).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
}

export const median = (numbers) => percentile(numbers, 0.5);

/** What the process holds, after the garbage was collected where Node lets us ask for that. */
export function settledMemoryMb() {
  globalThis.gc?.();
  return memoryMb();
}

export const memoryMb = () => process.memoryUsage().rss / 1e6;
