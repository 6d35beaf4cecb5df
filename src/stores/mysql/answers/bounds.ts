// How much a server may send in each stage of a connection.
/** The limits of what a server may send in one stage of a connection. */
export interface Bound {
  readonly stage: 'login' | 'idle' | 'answer';
  /** For people: `the answer`. */
  readonly what: string;
  readonly bytes: number;
  readonly packets: number;
  /** For people: what `what` has if there are more packets: `more than 1000 columns`. */
  readonly many: string;
}

const MIB = 1024 * 1024;

/** A login takes a few packets; MariaDB asks once for each login method of an account. */
export const LOGIN: Bound = { stage: 'login', what: 'its login', bytes: 64 * 1024, packets: 32, many: 'too many packets' };

/** A server may say why it closes the connection. */
export const IDLE: Bound = {
  stage: 'idle',
  what: 'what it sends unasked',
  bytes: 64 * 1024,
  packets: 4,
  many: 'too many packets',
};

/**
 * The answer to a statement until its rows begin: the descriptions of columns and parameters, and the result of the statement.
 */
export const ANSWER: Bound = {
  stage: 'answer',
  what: 'the answer',
  bytes: 64 * MIB,
  packets: 1000,
  many: 'more than 1000 columns',
};

/**
 * The bound once the number of `columns` is known, after so many `packets`: at most `maxRows` rows, and at most a million
 * values, because even empty values take memory.
 */
export function withRows(columns: number, packets: number, maxRows: number): Bound {
  const rows = Math.min(maxRows, Math.floor(MOST_VALUES / Math.max(1, columns)));
  return { ...ANSWER, packets: packets + rows + MARKERS, many: `more than ${rows} rows` };
}

/** An empty value costs the server one bit, and us up to a hundred bytes. */
const MOST_VALUES = 1_000_000;
/** The packets that end the columns and the rows. */
const MARKERS = 2;

/** Bytes for people: `64 MiB`. */
export function sizeWords(bytes: number): string {
  return bytes >= MIB ? `${bytes / MIB} MiB` : `${bytes / 1024} KiB`;
}
