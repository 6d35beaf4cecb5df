/** `1 line`, `2 lines`: a whole number with the words that go with it. */
export function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}
