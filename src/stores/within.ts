/**
 * The end of `work`, or, where it has none within `ms` milliseconds, a rejection with what `late` returns; `work` then runs on,
 * unheard: it is for `late` to cut off what it waits for.
 */
export async function within<T>(ms: number, work: Promise<T>, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), ms);
  });
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
