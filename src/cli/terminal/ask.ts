import type { Readable, Writable } from 'node:stream';

/** Puts a question to whoever sits at the terminal; true for `y` or `yes`, false for all else and for its end (Ctrl-D). */
export async function askOn(input: Readable, output: Writable, question: string): Promise<boolean> {
  // Loaded only when somebody is asked.
  const { createInterface } = await import('node:readline');
  const lines = createInterface({ input, output });
  try {
    const answer = await new Promise<string>((resolve) => {
      lines.once('close', () => resolve(''));
      lines.question(question, resolve);
    });
    return /^\s*y(?:es)?\s*$/i.test(answer);
  } finally {
    lines.close();
  }
}
