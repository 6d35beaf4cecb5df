/** Keeps what this process prints on its standard error, and by console on its standard output, until `end`. */
export function recordedConsole(): { readonly lines: readonly string[]; end(): void } {
  const lines: string[] = [];
  const { console } = globalThis;
  const before = { log: console.log, info: console.info, error: console.error, warn: console.warn, trace: console.trace };
  const keep = (...words: unknown[]): void => void lines.push(words.map(String).join(' '));
  Object.assign(console, { log: keep, info: keep, error: keep, warn: keep, trace: keep });
  return { lines, end: () => void Object.assign(console, before) };
}
