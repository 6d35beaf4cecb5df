// Users and groups of /etc/passwd and /etc/group.
import { readFileSync } from 'node:fs';

/** One line of /etc/passwd or /etc/group. Source: passwd(5), group(5). */
export interface AccountLine {
  readonly name: string;
  /** The uid or the gid. */
  readonly id: number;
  /** The fields after the number: GID, GECOS, HOME and SHELL of a user, MEMBERS of a group. */
  readonly rest: readonly string[];
}

/** Parses the lines NAME:PASSWORD:ID:… of passwd(5) and group(5), which have the same form. Other lines are left out. */
export function parseAccounts(text: string): AccountLine[] {
  return text.split('\n').flatMap((line) => {
    const [name, , id, ...rest] = line.split(':');
    return name && id && /^\d{1,10}$/.test(id) ? [{ name, id: Number(id), rest }] : [];
  });
}

/** Reads and parses such a file; [] if it cannot be read. */
export function readAccounts(file: string): AccountLine[] {
  try {
    return parseAccounts(readFileSync(file, 'utf8'));
  } catch {
    return [];
  }
}

/** The gid of a group that is given by name or number, according to /etc/group (group(5)); undefined if it is unknown. */
export function groupId(group: string, file = '/etc/group'): number | undefined {
  return accountId(group, file);
}

/** The uid of a user that is given by name or number, according to /etc/passwd (passwd(5)); undefined if it is unknown. */
export function userId(user: string, file = '/etc/passwd'): number | undefined {
  return accountId(user, file);
}

function accountId(account: string, file: string): number | undefined {
  if (/^\d{1,10}$/.test(account)) return Number(account) < NO_ID ? Number(account) : undefined;
  return readAccounts(file).find(({ name }) => name === account)?.id;
}

/** (uid_t) -1, which stands for no user (chown(2)). */
const NO_ID = 2 ** 32 - 1;

/**
 * Whether the group has a member other than root, according to `passwd` and `group` in `folder`; false if these files do not
 * say so. Source: passwd(5), group(5).
 */
export function hasMembers(gid: number, folder = '/etc'): boolean {
  const others = readAccounts(`${folder}/passwd`).filter(({ id }) => id !== 0);
  if (others.some(({ rest: [primary] }) => primary === String(gid))) return true;
  const names = new Set(others.map(({ name }) => name));
  return readAccounts(`${folder}/group`).some(
    ({ id, rest: [members = ''] }) => id === gid && members.split(',').some((name) => names.has(name)),
  );
}
