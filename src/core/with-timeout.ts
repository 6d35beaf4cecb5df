/**
 * The result of `work`. If there is none within `ms` milliseconds, or before `signal` aborts, it rejects with what `late`
 * returns; `work` then continues, and its result is ignored: `late` has to cancel what it waits for.
 */
export async function withTimeout<T>(ms: number, work: Promise<T>, late: () => Error, signal?: AbortSignal): Promise<T> {
  const { promise: deadline, reject } = Promise.withResolvers<never>();
  const giveUp = (): void => reject(late());
  const timer = setTimeout(giveUp, ms);
  signal?.addEventListener('abort', giveUp, { once: true });
  if (signal?.aborted) giveUp();
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', giveUp);
  }
}
