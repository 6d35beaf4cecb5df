/**
 * Runs `work`, which is synchronous, and passes to `onLine` what it would print on the terminal, one line a call. mysql2 prints
 * when a server breaks the protocol.
 */
export function captureConsole(onLine: (text: string) => void, work: () => void): void {
  const terminal = globalThis.console;
  const before = { error: terminal.error, warn: terminal.warn, log: terminal.log, info: terminal.info, trace: terminal.trace };
  const capture = (...words: readonly unknown[]): void =>
    onLine(words.map(String).join(' ').trim() || 'a fault without a message');
  Object.assign(terminal, { error: capture, warn: capture, log: capture, info: capture, trace: capture });
  try {
    work();
  } finally {
    Object.assign(terminal, before);
  }
}
