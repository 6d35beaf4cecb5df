/** What may come on a connection from one moment to the next. */
export interface Bound {
  readonly stage: 'login' | 'idle' | 'answer';
  /** For people: `the answer`. */
  readonly what: string;
  readonly bytes: number;
  readonly packets: number;
  /** For people: what it has where there are more packets: `more than 1000 columns`. */
  readonly many: string;
}

const MIB = 1024 * 1024;

/** A login takes a few words; MariaDB asks once for each way that an account has. */
export const LOGIN: Bound = { stage: 'login', what: 'its login', bytes: 64 * 1024, packets: 32, many: 'no end' };

/** A server may say why it goes. */
export const IDLE: Bound = { stage: 'idle', what: 'what comes unasked', bytes: 64 * 1024, packets: 4, many: 'no end' };

/** The answer to a statement until its rows begin: what is told of columns and parameters, and of how it was done. */
export const ANSWER: Bound = {
  stage: 'answer',
  what: 'the answer',
  bytes: 64 * MIB,
  packets: 1000,
  many: 'more than 1000 columns',
};

/** The same once its `columns` are known, after so many `packets`: at most `maxRows`, and a million values, if only empty ones. */
export function withRows(columns: number, packets: number, maxRows: number): Bound {
  const rows = Math.min(maxRows, Math.floor(MOST_VALUES / Math.max(1, columns)));
  return { ...ANSWER, packets: packets + rows + MARKERS, many: `more than ${rows} rows` };
}

/** An empty one costs the server a bit, and us up to a hundred bytes. */
const MOST_VALUES = 1_000_000;
/** Packets that end columns and rows. */
const MARKERS = 2;

/** Bytes for people: `64 MiB`. */
export function sizeWords(bytes: number): string {
  return bytes >= MIB ? `${bytes / MIB} MiB` : `${bytes / 1024} KiB`;
}
