import { styleText } from 'node:util';

/** The part of process.stdout and process.stderr that is used. */
export interface TextStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string, done?: () => void): unknown;
  on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown;
}

/** Where the command line writes; a reader that ends first (`| head`) is noticed, and is not an error. */
export interface Output {
  /** Columns and rows of the terminal; undefined if it is not a terminal. */
  readonly terminal: { readonly columns: number; readonly rows: number } | undefined;
  readonly colour: boolean;
  /** The first error. */
  readonly fault: NodeJS.ErrnoException | undefined;
  write(text: string): void;
  /** Resolves once all is written, lost, or given up. */
  flush(): Promise<void>;
  /** Stops waiting for text that is not written yet, because its reader does not read. */
  giveUp(): void;
}

/** Wraps `stream` as an output. Colour on a terminal, or if FORCE_COLOR is set; never if NO_COLOR is set (no-color.org). */
export function createOutput(stream: TextStream, env: Readonly<Record<string, string | undefined>>): Output {
  let fault: NodeJS.ErrnoException | undefined;
  stream.on('error', (error) => {
    fault ??= error;
  });
  let givenUp = false;
  const flushing = new Set<() => void>();
  const forced = Boolean(env.FORCE_COLOR) && env.FORCE_COLOR !== '0';
  return {
    get terminal() {
      return stream.isTTY === true ? { columns: stream.columns || 80, rows: stream.rows || 24 } : undefined;
    },
    colour: !env.NO_COLOR && (forced || (stream.isTTY === true && env.TERM !== 'dumb')),
    get fault() {
      return fault;
    },
    write: (text) => {
      if (fault === undefined) stream.write(text);
    },
    flush: () =>
      new Promise((resolve) => {
        if (givenUp) return resolve();
        flushing.add(resolve);
        stream.write('', () => {
          flushing.delete(resolve);
          resolve();
        });
      }),
    giveUp: () => {
      givenUp = true;
      for (const resolve of flushing) resolve();
    },
  };
}

/** A style of text on a terminal. */
export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow';

/** `text` in `style` if `colour` is true. */
export function paint(style: Style | undefined, text: string, colour: boolean): string {
  return colour && style !== undefined && text !== '' ? styleText(style, text, { validateStream: false }) : text;
}
