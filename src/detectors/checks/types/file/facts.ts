// What is known about a file, and whether it is as it has to be.
import { bytesName } from '../../../../core/text/bytes.ts';
import { configuredSeconds, formatDuration } from '../../../../core/text/duration.ts';

/** The keys of `type = file`. What is undefined does not matter. */
export interface FileOptions {
  /** Absolute, as the programs of this machine see it. */
  readonly path: string;
  /** False: there must be no such file. */
  readonly exists: boolean;
  /** A change of its content, mode or owner since the look before fails. */
  readonly changed: boolean;
  /** Since its last modification. */
  readonly maxAgeMs: number | undefined;
  /** In bytes. */
  readonly minSize: number | undefined;
  readonly maxSize: number | undefined;
  /** In lower case. */
  readonly sha256: string | undefined;
  /** Octal, without zeros at its beginning: `644`. */
  readonly mode: string | undefined;
  /** `USER` or `USER:GROUP`, each by name or number. */
  readonly owner: string | undefined;
}

/** A file as it was seen. */
export interface FileFacts {
  readonly isRegular: boolean;
  readonly size: number;
  readonly modifiedAt: Date;
  /** As FileOptions.mode. */
  readonly mode: string;
  readonly uid: string;
  readonly gid: string;
  /** UNKNOWN if the number has no name. */
  readonly user: string;
  readonly group: string;
  /** If it was read. */
  readonly sha256?: string;
}

/** What stat(1) is asked for. Names come last: they may be anything. */
export const STAT_FORMAT = '%F\\n%s %Y %a %u %g\\n%U\\n%G\\n';

/** Parses the answer; undefined if it is something else. */
export function parseFacts(text: string): FileFacts | undefined {
  const [type = '', numbers = '', user = '', group = ''] = text.split('\n');
  const [, size, seconds, mode = '', uid = '', gid = ''] = /^(\d+) (-?\d+) ([0-7]+) (\d+) (\d+)$/.exec(numbers) ?? [];
  if (size === undefined) return undefined;
  const modifiedAt = new Date(Number(seconds) * 1000);
  return { isRegular: type.startsWith('regular'), size: Number(size), modifiedAt, mode, uid, gid, user, group };
}

/** What about it is not as it has to be, each in a few words. */
export function faultsOf(options: FileOptions, facts: FileFacts, now: Date): string[] {
  const { maxAgeMs, minSize, maxSize, sha256, mode, owner } = options;
  const faults: string[] = [];
  const ageMs = now.getTime() - facts.modifiedAt.getTime();
  if (maxAgeMs !== undefined && ageMs > maxAgeMs)
    faults.push(`was written ${formatDuration(ageMs)} ago (expected at most ${configuredSeconds(maxAgeMs)})`);
  if (minSize !== undefined && facts.size < minSize)
    faults.push(`has ${bytesName(facts.size)} (expected at least ${bytesName(minSize)})`);
  if (maxSize !== undefined && facts.size > maxSize)
    faults.push(`has ${bytesName(facts.size)} (expected at most ${bytesName(maxSize)})`);
  if (mode !== undefined && facts.mode !== mode) faults.push(`has mode ${octal(facts.mode)} (expected ${octal(mode)})`);
  if (owner !== undefined && !isOwned(facts, owner)) faults.push(`belongs to ${facts.user}:${facts.group} (expected ${owner})`);
  if (sha256 !== undefined && facts.sha256 !== sha256) faults.push('has another SHA-256 digest than expected');
  return faults;
}

function isOwned({ uid, gid, user, group }: FileFacts, owner: string): boolean {
  const [wantedUser = '', wantedGroup] = owner.split(':');
  const isGroup = wantedGroup === undefined || [gid, group].includes(wantedGroup);
  return [uid, user].includes(wantedUser) && isGroup;
}

function octal(mode: string): string {
  return mode.padStart(4, '0');
}
