// The port of logs: where new lines come from.
/** What is new in a log. */
export type NewLines =
  | {
      readonly kind: 'read';
      /** Whole lines, at most 1 MiB, those of more than 8 KiB cut. */
      readonly text: string;
      /** Notes that they have been read: the next reading begins behind them. */
      keep(): void;
    }
  /** One line. */
  | { readonly kind: 'unknown'; readonly reason: string };

/** A log. What was in it before the first reading is not new. */
export interface LogSource {
  /** What is looked at, for people. */
  readonly description: string;
  /** Ends within `timeoutMs`, or when `signal` aborts. Never rejects. */
  read(timeoutMs: number, signal: AbortSignal): Promise<NewLines>;
}

/** The most bytes that one look reads. */
export const MOST_READ = 1024 * 1024;
const LONGEST_LINE = 8 * 1024;

/** Cuts the lines that are too long. */
export function cutLines(text: string): string {
  return text.replaceAll(TOO_LONG, (line) => line.slice(0, LONGEST_LINE));
}

const TOO_LONG = new RegExp(`[^\\n]{${LONGEST_LINE + 1},}`, 'g');
