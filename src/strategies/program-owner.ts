import process from 'node:process';
import { parseAuxv } from '../system/proc/parse.ts';
import type { ProcessIdentity, ProcessTable } from '../system/proc/table.ts';
import { findAccount } from '../system/spawn/user-account.ts';

/** Users whose processes are believed to be the program that they call themselves; or in one line why that cannot be told. */
export type Owners =
  | { readonly kind: 'known'; readonly uids: readonly number[] }
  | { readonly kind: 'refused'; readonly reason: string };

/**
 * Root, the daemon's own user, whose the program was when it was last seen (`recordedUid`), and `user` where one is configured.
 * That one is looked up for a full path only: by a plain name everybody's processes are found. Never rejects.
 */
export async function findOwners(
  systemName: string,
  user: string | undefined,
  recordedUid: number | undefined,
  signal: AbortSignal,
): Promise<Owners> {
  const uids = [0, process.geteuid?.(), recordedUid].filter((uid) => uid !== undefined);
  if (user === undefined || !systemName.includes('/')) return { kind: 'known', uids };
  const found = await findAccount(user, signal);
  // Without its user a program that runs would be taken for one that does not, and started a second time.
  if (found.kind === 'not_found') return { kind: 'refused', reason: `user: ${found.reason}` };
  return { kind: 'known', uids: [...uids, found.account.uid] };
}

/**
 * Whether the process is one of these users', and was executed by one of them: who calls a set-user-id program chooses its
 * argv[0], and a su(1) that waits for a password is root's by its effective uid. Source: credentials(7), getauxval(3).
 */
export function isOwnedBy(table: ProcessTable, { pid, startTime }: ProcessIdentity, uids: readonly number[]): boolean {
  const now = table.read(pid, ['startTime', 'uids']);
  if (now?.uids === undefined || now.startTime !== startTime) return false;
  // A process may write over its own auxv (prctl(2)): then its effective uid, which it cannot, tells whose it is.
  const caller = parseAuxv(table.bytes(pid, 'auxv') ?? Buffer.alloc(0))?.uid ?? now.uids.real;
  return uids.includes(now.uids.effective) && uids.includes(caller);
}
