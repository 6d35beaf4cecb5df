// Checks who may read and write the configuration file.
import type { ConfigProblem } from '../core/errors.ts';

/** What stat(2) reports about the configuration file and its directory. */
export interface FileAccess {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly directory: { readonly mode: number; readonly uid: number };
  /** Why users other than root can replace the file; undefined: they cannot. */
  readonly reach?: string | undefined;
}

/**
 * The problems with the permissions of the file. Its commands run as the daemon's user, so if that is root (`daemonUid` 0),
 * everybody who can change the file can become root:
 * - writable by everybody, owned by another user, or in a directory in which everybody may replace it: errors
 * - writable by a group other than root's, or replaceable by a user or group: a warning, because it may be intended
 */
export function permissionProblems(access: FileAccess, daemonUid: number): ConfigProblem[] {
  if (daemonUid !== 0) return [];
  const { mode, uid, gid, directory, reach } = access;
  const problems: ConfigProblem[] = [];
  if (uid !== 0) problems.push(problemOf('error', foreignOwner(uid)));
  if (mode & OTHERS_WRITE)
    problems.push(problemOf('error', `is writable by everybody (expected mode 0600, got ${octal(mode)})`));
  else if (mode & GROUP_WRITE && gid !== 0)
    problems.push(problemOf('warning', `is writable by the group ${gid}, which can run any command as root`));
  if (isOpen(directory)) {
    const got = `expected mode 0755, got ${octal(directory.mode)}`;
    problems.push(problemOf('error', `lies in a directory that is writable by everybody (${got})`));
  } else if (uid === 0 && reach !== undefined) {
    problems.push(problemOf('warning', `can be replaced by others, who could then run any command as root: ${reach}`));
  }
  return problems;
}

/** The problem of a file that contains a password, whoever runs the daemon: it is readable by everybody. */
export function secretProblems({ mode }: FileAccess): ConfigProblem[] {
  if (!(mode & OTHERS_READ)) return [];
  return [problemOf('warning', `holds a password and is readable by everybody (expected mode 0600, got ${octal(mode)})`)];
}

/** The problems of a folder whose files are all read: whoever can put one there can run any command as the daemon's user. */
export function folderProblems(folder: FileAccess['directory'], daemonUid: number): ConfigProblem[] {
  if (daemonUid !== 0) return [];
  if (folder.uid !== 0) return [problemOf('error', foreignOwner(folder.uid))];
  if (folder.mode & OTHERS_WRITE)
    return [problemOf('error', `is writable by everybody (expected mode 0755, got ${octal(folder.mode)})`)];
  return [];
}

function problemOf(severity: 'error' | 'warning', problem: string): ConfigProblem {
  return { severity, line: 0, section: '', key: '', problem };
}

function foreignOwner(uid: number): string {
  return `belongs to the user id ${uid}, who could run any command as root (expected owner root: chown root)`;
}

/** True if everybody may replace what is in the directory. */
function isOpen({ mode }: FileAccess['directory']): boolean {
  return Boolean(mode & OTHERS_WRITE) && !(mode & STICKY);
}

const STICKY = 0o1000;
const GROUP_WRITE = 0o020;
const OTHERS_READ = 0o004;
const OTHERS_WRITE = 0o002;

function octal(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}
