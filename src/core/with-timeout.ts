/**
 * The end of `work`, or, where it has none within `ms` milliseconds or before `signal` aborts, a rejection with what `late` returns;
 * `work` then runs on, unheard: it is for `late` to cut off what it waits for.
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
