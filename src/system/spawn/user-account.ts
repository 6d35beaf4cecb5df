// Looks up a user, and how to run a program as that user.
import { quoted } from '../../core/text/printable.ts';
import { type AccountLine, parseAccounts, readAccounts } from '../accounts/database.ts';
import { execute } from './command.ts';

/** A user of this machine (passwd(5)). */
interface UserAccount {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

/** The result of a look-up; reasons are one line for people. */
export type AccountResult =
  | { readonly kind: 'found'; readonly account: UserAccount }
  | { readonly kind: 'not_found'; readonly reason: string }
  /** The look-up failed or took too long: it is unknown whether there is such a user. */
  | { readonly kind: 'unknown'; readonly reason: string };

/**
 * Looks up the account of a user name or uid by getent(1), which also knows directories; by /etc/passwd if there is no getent.
 * Never rejects.
 */
export async function findAccount(user: string, signal: AbortSignal): Promise<AccountResult> {
  // A name like `-x` would be read as an option.
  if (!/^[^-:\s\0][^:\s\0]*$/.test(user)) return { kind: 'not_found', reason: `${quoted(user)} is not a valid user name` };
  const found = await execute('getent', ['passwd', user], { timeoutMs: LOOKUP_MS, signal });
  switch (found.kind) {
    case 'exited':
      if (found.exitCode === 0) return account(parseAccounts(found.stdout)[0], user);
      if (found.exitCode === NO_SUCH_KEY) return { kind: 'not_found', reason: `there is no user ${user}` };
      return unknown(user, `getent: exit code ${found.exitCode}`);
    case 'not_started':
      return account(findLine(user), user);
    case 'timed_out':
      return unknown(user, `no answer within ${LOOKUP_MS / 1000} s`);
    case 'signaled':
      return unknown(user, `getent was killed by ${found.signal}`);
    case 'aborted':
      return unknown(user, 'aborted');
    case 'lost':
      return unknown(user, found.reason);
    default:
      return found satisfies never;
  }
}

/** Source: getent(1), "Exit status". */
const NO_SUCH_KEY = 2;

function unknown(user: string, why: string): AccountResult {
  return { kind: 'unknown', reason: `the user ${user} could not be looked up (${why})` };
}

/** What is needed to run a program as another user: the words before its arguments, and variables of its environment. */
type AsUser =
  | {
      readonly kind: 'ready';
      /** Empty if it already runs as that user. */
      readonly prefix: readonly string[];
      readonly environment: Readonly<Record<string, string>>;
      /** Undefined for our own user. */
      readonly uid: number | undefined;
    }
  | { readonly kind: 'refused'; readonly reason: string };

/**
 * How to run something as `user`, with all of that user's groups and home; as ourselves if it is undefined. Only root may run
 * it as another user. Source: setpriv(1).
 */
export async function asUser(user: string | undefined, signal: AbortSignal): Promise<AsUser> {
  if (user === undefined) return { kind: 'ready', prefix: [], environment: {}, uid: undefined };
  const found = await findAccount(user, signal);
  if (found.kind !== 'found') return { kind: 'refused', reason: found.reason };
  const { name, uid, gid, home } = found.account;
  const environment = { HOME: home, USER: name, LOGNAME: name };
  if (uid === process.geteuid?.()) return { kind: 'ready', prefix: [], environment, uid };
  if (process.geteuid?.() !== 0) return { kind: 'refused', reason: `only root can run it as the user ${user}` };
  return { kind: 'ready', prefix: setpriv(uid, gid, '--init-groups'), environment, uid };
}

/** The words of setpriv(1) that run the following program as this user; `groups`: the option that sets its other groups. */
export function setpriv(uid: number, gid: number, groups: string): string[] {
  return ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, groups, '--'];
}

const LOOKUP_MS = 10_000;

function findLine(user: string): AccountLine | undefined {
  const lines = readAccounts('/etc/passwd');
  return lines.find(({ name }) => name === user) ?? lines.find(({ id }) => String(id) === user);
}

function account(line: AccountLine | undefined, user: string): AccountResult {
  const [gid = '', , home] = line?.rest ?? [];
  if (line === undefined || !/^\d+$/.test(gid)) return { kind: 'not_found', reason: `there is no user ${user}` };
  return { kind: 'found', account: { name: line.name, uid: line.id, gid: Number(gid), home: home || '/' } };
}
