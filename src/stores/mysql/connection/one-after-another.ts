/** Returns a function that runs async work one after the other in the order of the calls, even if earlier work fails. */
export function oneAfterAnother(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const end = last.then(work, work);
    last = end;
    return end;
  };
}
