// Compares launch records: whether two of them start the same program in the same way.
import { basename, resolve } from 'node:path';
import type { LaunchRecord } from '../../../core/program/launch-record.ts';
import { callsItsFolder } from '../../../system/launch/read-record.ts';

/** True if both start the same program in the same way. */
export function sameLaunch(a: LaunchRecord, b: LaunchRecord): boolean {
  if (!sameStrings(a.argv, b.argv) || !sameStrings(variablesOf(a), variablesOf(b))) return false;
  return JSON.stringify(FIELDS.map((field) => a[field])) === JSON.stringify(FIELDS.map((field) => b[field]));
}

/** Sorted, and without those that a shell adds: our own starts use one. */
function variablesOf({ environment }: LaunchRecord): readonly string[] {
  return environment.filter((variable) => !/^(?:SHLVL|_|OLDPWD)=/.test(variable)).toSorted();
}

/** True if both lists contain the same texts in the same order. There may be hundreds of thousands of them. */
export function sameStrings(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, index) => text === b[index]);
}

const FIELDS = ['executable', 'cwd', 'uid', 'gid', 'groups', 'unconfined', 'surroundings'] as const;

/** True if `record` equals `stored`, except that the link by which it names its directory leads to another release now. */
export function hasMovedOn(stored: LaunchRecord, record: LaunchRecord): boolean {
  const { cwd, executable } = stored;
  const isFolder = callsItsFolder(record.environment) === cwd;
  const isFile = resolve(cwd, record.argv[0] ?? '') === executable && basename(record.executable) === basename(executable);
  if (!isFolder && !isFile) return false;
  return sameLaunch(stored, { ...record, ...(isFolder && { cwd }), ...(isFile && { executable }) });
}

/** `record` with the stored name of a log that was rotated since: `x.log` for `x.log.1` and `x.log-20261126`. */
export function withStoredOutput(stored: LaunchRecord, record: LaunchRecord): LaunchRecord {
  const { surroundings: before = {} } = stored;
  const { surroundings: now } = record;
  const former = (one: string | undefined, other: string | undefined): string | undefined =>
    one !== undefined && other !== undefined && /^[.-]/.test(other.slice(one.length)) && other.startsWith(one) ? one : other;
  if (now === undefined) return record;
  const standardOutput = former(before.standardOutput, now.standardOutput);
  const standardError = former(before.standardError, now.standardError);
  const files = { ...(standardOutput && { standardOutput }), ...(standardError && { standardError }) };
  return { ...record, surroundings: { ...now, ...files } };
}
