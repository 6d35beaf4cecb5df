/**
 * Runs `work`, which ends at once. What it would print on the terminal goes to `hear` instead, each in one line: mysql2 prints where a
 * server breaks the protocol.
 */
export function overhear(hear: (text: string) => void, work: () => void): void {
  const terminal = globalThis.console;
  const before = { error: terminal.error, warn: terminal.warn, log: terminal.log, info: terminal.info, trace: terminal.trace };
  const listen = (...words: readonly unknown[]): void =>
    hear(words.map(String).join(' ').trim() || 'a fault without a message');
  Object.assign(terminal, { error: listen, warn: listen, log: listen, info: listen, trace: listen });
  try {
    work();
  } finally {
    Object.assign(terminal, before);
  }
}
