import { readFileSync } from 'node:fs';

/** The number of a group that is given by name or number, as /etc/group has it (group(5)); undefined where it is not known. */
export function groupId(group: string, file = '/etc/group'): number | undefined {
  return accountId(group, file);
}

/** The number of a user that is given by name or number, as /etc/passwd has it (passwd(5)); undefined where it is not known. */
export function userId(user: string, file = '/etc/passwd'): number | undefined {
  return accountId(user, file);
}

/** Lines NAME:PASSWORD:ID:… */
function accountId(account: string, file: string): number | undefined {
  if (/^\d{1,10}$/.test(account)) return Number(account) < NO_ID ? Number(account) : undefined;
  try {
    for (const line of readFileSync(file, 'utf8').split('\n')) {
      const [name, , id] = line.split(':');
      if (name === account && id !== undefined && /^\d{1,10}$/.test(id)) return Number(id);
    }
  } catch {
    // No such file: no such account.
  }
  return undefined;
}

/** (uid_t) -1, which is nobody (chown(2)). */
const NO_ID = 2 ** 32 - 1;
