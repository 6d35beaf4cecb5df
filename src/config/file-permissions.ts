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
 * - readable by everybody while it contains a password: a warning, whoever runs the daemon
 */
export function permissionProblems(access: FileAccess, daemonUid: number, holdsSecret: boolean): ConfigProblem[] {
  const { mode, uid, gid, directory, reach } = access;
  const problems: ConfigProblem[] = [];
  const add = (severity: 'error' | 'warning', problem: string): void => {
    problems.push({ severity, line: 0, section: '', key: '', problem });
  };
  if (daemonUid === 0) {
    if (uid !== 0)
      add('error', `belongs to the user id ${uid}, who could run any command as root (expected owner root: chown root)`);
    if (mode & OTHERS_WRITE) add('error', `is writable by everybody (expected mode 0600, got ${octal(mode)})`);
    else if (mode & GROUP_WRITE && gid !== 0)
      add('warning', `is writable by the group ${gid}, which can run any command as root`);
    if (directory.mode & OTHERS_WRITE && !(directory.mode & STICKY)) {
      add('error', `lies in a directory that is writable by everybody (expected mode 0755, got ${octal(directory.mode)})`);
    } else if (uid === 0 && reach !== undefined) {
      add('warning', `can be replaced by others, who could then run any command as root: ${reach}`);
    }
  }
  if (mode & OTHERS_READ && holdsSecret)
    add('warning', `holds a password and is readable by everybody (expected mode 0600, got ${octal(mode)})`);
  return problems;
}

const STICKY = 0o1000;
const GROUP_WRITE = 0o020;
const OTHERS_READ = 0o004;
const OTHERS_WRITE = 0o002;

function octal(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}
