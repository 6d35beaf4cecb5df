import { styleText } from 'node:util';

/** What of process.stdout and process.stderr is used. */
export interface TextStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string, done?: () => void): unknown;
  on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown;
}

/** Where the command line writes; a reader that leaves (`| head`) is noticed and no error. */
export interface Output {
  /** Columns and rows of the terminal; undefined where it is none. */
  readonly terminal: { readonly columns: number; readonly rows: number } | undefined;
  readonly colour: boolean;
  /** The first thing that went wrong. */
  readonly fault: NodeJS.ErrnoException | undefined;
  write(text: string): void;
  /** Resolves once all is written, lost, or given up. */
  flush(): Promise<void>;
  /** What is not written yet is waited for no longer: its reader does not read. */
  giveUp(): void;
}

/** `stream` as an output. Colour on a terminal, or where FORCE_COLOR says so; never where NO_COLOR is set (no-color.org). */
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

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow';

/** `text` in colour where `colour` says so. */
export function paint(style: Style | undefined, text: string, colour: boolean): string {
  return colour && style !== undefined && text !== '' ? styleText(style, text, { validateStream: false }) : text;
}
