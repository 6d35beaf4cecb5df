import { createHash } from 'node:crypto';

/**
 * The process id of a row that is in no store: it stands for the alarm of `processName` that we keep ourselves. The same for the
 * same name in every life of the daemon, from -(2^53 - 1) to -2^52: far below any key of a table.
 */
export function keptRowId(processName: string): number {
  const hash = createHash('sha256').update(processName).digest().readBigUInt64BE();
  return Number.MIN_SAFE_INTEGER + Number(hash >> 12n);
}

/** True where `processId` stands for an alarm that we keep ourselves. */
export function isKeptRow(processId: number): boolean {
  return processId <= HIGHEST;
}

/** The process id as commands and logs are told it: 0 where there is no row. */
export function shownProcessId(processId: number): number {
  return isKeptRow(processId) ? 0 : processId;
}

const HIGHEST = -(2 ** 52);
