// Numbers with the words that go with them.
/** `1 line`, `2 lines`: a whole number with the words that go with it. */
export function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** `14 configured processes, of which 1 is refused`. */
export function processWords(configured: number, refused: number): string {
  const all = counted(configured, 'configured process', 'configured processes');
  return refused === 0 ? all : `${all}, of which ${counted(refused, 'is', 'are')} refused`;
}
