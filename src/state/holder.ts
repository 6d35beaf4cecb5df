// Who uses a state_dir: the daemon, or a command, by the file daemon.pid and the lock.
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lockHolder } from '../system/proc/locks.ts';
import { hasEnded } from '../system/proc/parse.ts';
import { type ProcessInfo, ProcessTable } from '../system/proc/table.ts';
import { readBootId } from './boot-id.ts';

/**
 * The role in which a state_dir is held: as the daemon, which may listen on `socket`, or for a moment as a command that carries
 * out an order itself.
 */
export type HolderRole = { readonly kind: 'daemon'; readonly socket?: string | undefined } | { readonly kind: 'command' };

/** Who runs on a state_dir. `unknown`: it cannot be read, with the errno. */
type Holder =
  | { readonly kind: 'runs'; readonly pid: number; readonly role: HolderRole }
  | { readonly kind: 'none' }
  | { readonly kind: 'unknown'; readonly path: string; readonly code: string };

/**
 * Who is registered in `dir` and alive, or has locked it. Changes nothing. Identity is pid, start time and boot, so that a file
 * left by a crash names nobody. Never throws.
 */
export function lookForHolder(dir: string): Holder {
  const path = join(dir, PID_FILE);
  try {
    const [pid = '', started = '', bootId = '', kind, ...socket] = readFileSync(path, 'utf8').trim().split(' ');
    const seen = /^\d{1,10}$/.test(pid) ? living(Number(pid)) : undefined;
    // In a container a sandboxed daemon may see another boot_id than a command does. A process with this pid, start time and
    // name is the daemon nevertheless.
    const isOfThisBoot = bootId === readBootId() || seen?.name === DAEMON_NAME;
    const alive = String(seen?.startTime) === started && isOfThisBoot;
    return alive ? { kind: 'runs', pid: Number(pid), role: roleOf(kind, socket.join(' ')) } : holderOfLock(dir);
  } catch (error) {
    const code = String((error as NodeJS.ErrnoException).code);
    return code === 'EACCES' || code === 'EPERM' ? { kind: 'unknown', path, code } : holderOfLock(dir);
  }
}

/** The daemon that has the lock although it is not registered: its file was removed, or the disk was full. */
function holderOfLock(dir: string): Holder {
  const held = lockHolder(join(dir, LOCK_FILE));
  const seen = held && living(held.pid);
  // The owner of the file created it: of two files with the same inode in two file systems, one may belong to a foreign
  // process.
  const isDaemon = seen?.name === DAEMON_NAME && seen.uids?.effective === held?.owner;
  return held !== undefined && isDaemon ? { kind: 'runs', pid: held.pid, role: { kind: 'daemon' } } : { kind: 'none' };
}

/** A zombie, which only waits for its parent, does not run. */
function living(pid: number): ProcessInfo<'name' | 'startTime' | 'uids'> | undefined {
  const seen = new ProcessTable().read(pid, ['name', 'startTime', 'state', 'threads', 'uids']);
  return seen === undefined || hasEnded(seen) ? undefined : seen;
}

/**
 * Registers this process in `dir`, by rename, so that a reader never sees half of the file. If this fails, nobody is
 * registered: a full disk must not prevent a start.
 */
export function writeHolder(dir: string, role: HolderRole): void {
  const path = join(dir, PID_FILE);
  try {
    const words = [process.pid, String(living(process.pid)?.startTime), readBootId(), role.kind];
    if (role.kind === 'daemon' && role.socket !== undefined) words.push(role.socket);
    writeFileSync(`${path}.new`, `${words.join(' ')}\n`, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  } catch {
    rmSync(`${path}.new`, { force: true });
    rmSync(path, { force: true });
  }
}

/** Removes the registration. */
export function removeHolder(dir: string): void {
  rmSync(join(dir, PID_FILE), { force: true });
}

/** The file in a state_dir that its holder has locked. */
export const LOCK_FILE = 'daemon.lock';

const PID_FILE = 'daemon.pid';
/** The name of the daemon's process. */
const DAEMON_NAME = 'monitor_service';

function roleOf(kind: string | undefined, socket: string): HolderRole {
  return kind === 'command' ? { kind } : { kind: 'daemon', socket: socket || undefined };
}
