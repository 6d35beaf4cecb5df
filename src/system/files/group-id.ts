import { readFileSync } from 'node:fs';

/** The number of a group that is given by name or number, as /etc/group has it (group(5)); undefined where it is not known. */
export function groupId(group: string, file = '/etc/group'): number | undefined {
  if (/^\d{1,9}$/.test(group)) return Number(group);
  try {
    for (const line of readFileSync(file, 'utf8').split('\n')) {
      const [name, , gid] = line.split(':');
      if (name === group && gid !== undefined && /^\d{1,9}$/.test(gid)) return Number(gid);
    }
  } catch {
    // No such file: no such group.
  }
  return undefined;
}
