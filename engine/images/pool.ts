/**
 * Runs work on items, at most `limit` at a time, in their order. The first failure stops what has not begun and aborts
 * the rest; it is thrown when all have ended, so that nothing goes on behind the caller's back.
 */
export async function pool<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T, signal: AbortSignal) => Promise<R>,
  signal?: AbortSignal,
): Promise<R[]> {
  const stop = new AbortController();
  const all = signal === undefined ? stop.signal : AbortSignal.any([stop.signal, signal]);
  const results: R[] = [];
  const failures: unknown[] = [];
  let next = 0;
  const runners = Array.from({ length: Math.min(limit, items.length) }, async () => {
    while (next < items.length && !all.aborted) {
      const at = next++;
      try {
        results[at] = await work(items[at] as T, all);
      } catch (error) {
        failures.push(error);
        stop.abort(error);
      }
    }
  });
  await Promise.all(runners);
  if (failures.length > 0) throw failures[0];
  signal?.throwIfAborted();
  return results;
}
