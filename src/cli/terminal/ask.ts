import type { Readable, Writable } from 'node:stream';

/** Asks the user at the terminal a question; true for `y` or `yes`, false for everything else and for end of input (Ctrl-D). */
export async function askOn(input: Readable, output: Writable, question: string): Promise<boolean> {
  // Loaded only if there is a question.
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
