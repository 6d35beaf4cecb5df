import { readFileSync } from 'node:fs';
import { nameWords, printable } from '../core/text/printable.ts';
import { AccountNames } from './accounts/names.ts';
import type { Peer } from './native/peer.ts';
import { ProcessTable } from './proc/table.ts';
import { learnAccountNames } from './spawn/learn-account-names.ts';

/**
 * Describes who gives an order, for log and history. `root (monitor_client)`: the user and the name of the client program (comm
 * of proc(5): a name that the process chose itself, so not a proof). `root (monitor_client), logged in as alice`: the login
 * user according to the kernel (loginuid), if that user changed to this one by sudo(8) or su(1). `root (monitor_client),
 * started by systemd`: for `systemctl reload`. `root (uid 0)`: the process has ended, cannot be seen, or belongs to another
 * user by now. `uid 4711`: the user has no name. Waits at most one second, for the system's directories. Never rejects.
 */
export async function whoIs({ pid, uid }: Pick<Peer, 'pid' | 'uid'>, proc = '/proc'): Promise<string> {
  // At once: the process may have ended by the time the names are known.
  const client = pid > 0 ? new ProcessTable(proc).read(pid, ['name', 'uids', 'ppid', 'unit']) : undefined;
  const isTheirs = client?.uids?.effective === uid;
  const login = isTheirs ? loginUid(proc, pid) : undefined;
  const accounts = new AccountNames();
  const uids = login === undefined ? [uid] : [uid, login];
  await learnAccountNames(accounts, { uids, gids: [] }, AbortSignal.timeout(LOOKUP_MS));
  const name = accounts.users.name(uid);
  const program = isTheirs ? programWords(client.name) : '';
  const who = name === undefined ? `uid ${uid}` : printable(name);
  const how = program !== '' ? ` (${program})` : name === undefined ? '' : ` (uid ${uid})`;
  if (isTheirs && client.ppid === 1 && client.unit !== undefined && client.unit === ownUnit(proc))
    return `${who}${how}, started by systemd`;
  if (login === undefined || login === uid) return `${who}${how}`;
  const person = accounts.users.name(login);
  return `${who}${how}, logged in as ${person === undefined ? `uid ${login}` : printable(person)}`;
}

const LOOKUP_MS = 1000;

/** The name in printable words; '' if there is none. */
function programWords(comm: string): string {
  const shown = printable(comm).trim();
  return shown === '' ? '' : nameWords(shown);
}

/** The unit of the daemon. What systemd starts in it are commands such as its ExecReload=. */
function ownUnit(proc: string): string | undefined {
  return new ProcessTable(proc).read(process.pid, ['unit'])?.unit;
}

/**
 * The uid that the person logged in with before becoming another user; undefined if nobody logged in. Source:
 * proc_pid_loginuid(5).
 */
function loginUid(proc: string, pid: number): number | undefined {
  try {
    const text = readFileSync(`${proc}/${pid}/loginuid`, 'latin1').trim();
    const uid = /^\d{1,10}$/.test(text) ? Number(text) : NOBODY;
    return uid === NOBODY ? undefined : uid;
  } catch {
    return undefined;
  }
}

/** (uid_t) -1: the login uid is not set. */
const NOBODY = 2 ** 32 - 1;
