// Whose processes can be a program: owners, and processes that belong to another user.
import process from 'node:process';
import { lastPart } from '../../../core/process/comm.ts';
import type { LaunchRecords } from '../../../core/program/launch-record.ts';
import type { Pins } from '../../../core/program/pin.ts';
import type { ProgramRoots } from '../../../core/program/roots.ts';
import { hostStat } from '../../../system/files/host-path.ts';
import { isOpenToOthers } from '../../../system/files/mode.ts';
import { asScript, readShebang } from '../../../system/launch/script-file.ts';
import { isInterpretedBy, scriptRun } from '../../../system/launch/script-run.ts';
import type { SeenProcess } from '../../../system/proc/look.ts';
import { parseAuxv } from '../../../system/proc/parse.ts';
import type { ProcessIdentity, ProcessTable } from '../../../system/proc/table.ts';
import { findAccount } from '../../../system/spawn/user-account.ts';
import type { ProcessOptions } from '../options.ts';

/**
 * The users whose processes can be the program, and which others: none; all; or, while nothing is known about the program,
 * those that run a file of that name that belongs to root. Or why this cannot be determined, in one line.
 */
export type Owners =
  | {
      readonly kind: 'known';
      readonly uids: readonly number[];
      readonly others: 'none' | 'all' | 'roots_files';
      /** The uid of `user`; absent if that is not set. */
      readonly userUid?: number;
    }
  | { readonly kind: 'refused'; readonly reason: string };

/** The records that show who owned a program. */
interface OwnerRecords {
  readonly launches: Pick<LaunchRecords, 'get'>;
  readonly pins: Pick<Pins, 'get'>;
  readonly roots: Pick<ProgramRoots, 'get'>;
}

/** Root, the daemon's own user, the owner of the program when it was pinned or last seen, and `user`. Never rejects. */
export async function findOwners(
  { user, anyUser }: Pick<ProcessOptions, 'user' | 'anyUser'>,
  records: OwnerRecords,
  systemName: string,
  signal: AbortSignal,
): Promise<Owners> {
  const recordedUid = lastUid(records, systemName);
  const uids = [0, process.geteuid?.(), recordedUid].filter((uid) => uid !== undefined);
  const others = anyUser ? 'all' : user === undefined && recordedUid === undefined ? 'roots_files' : 'none';
  if (user === undefined) return { kind: 'known', uids, others };
  const found = await findAccount(user, signal);
  // Without its user, a running program would be taken for one that does not run, and be started a second time.
  if (found.kind !== 'found') return { kind: 'refused', reason: `user: ${found.reason}` };
  const { uid } = found.account;
  return { kind: 'known', uids: [...uids, uid], others, userUid: uid };
}

function lastUid({ launches, pins, roots }: OwnerRecords, systemName: string): number | undefined {
  const recorded = pins.get(systemName)?.launches[0]?.record ?? launches.get(systemName);
  // What start_command starts has no launch record, and still has an owner.
  return recorded?.uid ?? roots.get(systemName).find(({ uid }) => uid !== undefined)?.uid;
}

/**
 * Whether the process executes a file or a script that belongs to root and itself has one of the names. Nobody else can
 * change what such a file does, while a process can set argv[0] and comm to anything. Not true of another file that was mounted
 * over it.
 */
export function runsRootsFile(table: ProcessTable, seen: SeenProcess, names: readonly string[]): boolean {
  const { pid, executable } = seen;
  if (executable === undefined || !table.executes(pid, executable)) return false;
  const script = scriptOf(table, seen);
  // It runs the script that it names only if its executable is the one that the script asks for.
  const file = script !== undefined && isRightlyRun(table, script, { ...seen, executable }) ? script : executable;
  const isIt = (name: string): boolean =>
    name.includes('/') ? file === name || table.executes(pid, name) : lastPart(file) === name;
  if (!names.some(isIt)) return false;
  const stat = hostStat(file);
  return typeof stat !== 'string' && stat.uid === 0 && !isOpenToOthers(stat);
}

/** True if it is run by what the script's first line names; by a file that belongs to root, if env(1) looks for the interpreter. */
function isRightlyRun(table: ProcessTable, script: string, seen: SeenProcess & { readonly executable: string }): boolean {
  if (!isInterpretedBy(table, script, seen)) return false;
  const [interpreter = ''] = readShebang(script);
  if (lastPart(interpreter) !== 'env') return true;
  const stat = hostStat(seen.executable);
  return typeof stat !== 'string' && stat.uid === 0;
}

/** Only if nothing precedes it that the kernel did not put there: an option may make an interpreter run something else. */
function scriptOf(table: ProcessTable, { pid, name, argv = [], executable }: SeenProcess): string | undefined {
  const cwd = table.read(pid, ['cwd'])?.cwd;
  if (cwd === undefined) return undefined;
  const byKernel = asScript(name, argv, cwd)?.executable;
  const [, first] = argv;
  return (
    byKernel ?? (first && scriptRun(table, { pid, argv: argv.slice(0, 2), ...(executable && { executable }) }, () => true))
  );
}

/**
 * Why a process does not belong to given users: its owner; or the user who executed it; or both can no longer be determined.
 */
export type Foreign = { readonly kind: 'owner' | 'starter'; readonly uid: number } | { readonly kind: 'unknown' };

/**
 * Why the process does not belong to these users, or was not executed by one of them; undefined if both hold. Whoever calls a
 * set-user-id program chooses its argv[0], and a su(1) that waits for a password is root's by its effective uid. Source:
 * credentials(7), getauxval(3).
 */
export function foreignTo(
  table: ProcessTable,
  { pid, startTime }: ProcessIdentity,
  uids: readonly number[],
): Foreign | undefined {
  const now = table.read(pid, ['startTime', 'uids']);
  if (now?.uids === undefined || now.startTime !== startTime) return { kind: 'unknown' };
  // Reading a foreign process's auxv may take as long as that process likes: while it executes, its memory is locked.
  const { effective, real } = now.uids;
  if (!uids.includes(effective)) return { kind: 'owner', uid: effective };
  // A process may overwrite its own auxv (prctl(2)): its effective uid, which it cannot change, then shows the owner.
  const starter = parseAuxv(table.bytes(pid, 'auxv') ?? Buffer.alloc(0))?.uid ?? real;
  return uids.includes(starter) ? undefined : { kind: 'starter', uid: starter };
}

/** Whether the process belongs to one of these users, and was executed by one of them (foreignTo). */
export function isOwnedBy(table: ProcessTable, process: ProcessIdentity, uids: readonly number[]): boolean {
  return foreignTo(table, process, uids) === undefined;
}
