/** Runs what it is given one after the other, in the order in which it comes, however the ones before end. */
export function inTurn(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const end = last.then(work, work);
    last = end;
    return end;
  };
}
