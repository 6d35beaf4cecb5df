import { isUtf8 } from 'node:buffer';
import type { LaunchRecord } from '../core/launch-record.ts';
import { parseAuxv } from './proc-parse.ts';
import type { ProcessTable } from './process-table.ts';

/** How a living process was started, or in one line why that cannot be told or must not be done again. */
export type LaunchReading =
  | { readonly kind: 'read'; readonly record: LaunchRecord }
  | { readonly kind: 'unusable'; readonly reason: string };

/**
 * Reads how the process was started. The user is its real one, and it is unusable where the program was executed with more
 * rights than its caller had (set-user-id and the like): arguments and environment are then the caller's, and to start it again
 * with the rights it has would hand those to the caller. Unusable too where the program wrote another title over its arguments.
 */
export function readLaunchRecord(table: ProcessTable, pid: number): LaunchReading {
  const before = table.read(pid, ['startTime', 'uids']);
  const process = table.read(pid, ['startTime', 'argv', 'executable', 'cwd', 'root', 'environment', 'uids', 'gids', 'groups']);
  const auxiliary = parseAuxv(table.bytes(pid, 'auxv') ?? Buffer.alloc(0));
  const argvBytes = table.bytes(pid, 'cmdline');
  const after = table.read(pid, ['startTime', 'uids', 'argv', 'executable']);
  if (before === undefined || process === undefined || after === undefined) return unusable('it ended meanwhile');
  const { argv, executable, cwd, root, environment, uids, gids, groups } = process;
  if (executable === undefined || cwd === undefined || environment === undefined || root === undefined) {
    return unusable('its executable, directory or environment cannot be read');
  }
  if (argv === undefined || argv.length === 0 || uids === undefined || gids === undefined || groups === undefined) {
    return unusable('its command line cannot be read');
  }
  // An exec or a change of user in between would join one program's environment to another one's rights.
  if (key(before) !== key(process) || key(process) !== key(after) || !sameProgram(process, after)) {
    return unusable('it changed while it was read');
  }
  if (auxiliary === undefined || auxiliary.secure || (auxiliary.uid !== 0 && auxiliary.uid !== uids.real)) {
    return unusable('it was executed with more rights than its caller had');
  }
  if (root !== '/') return unusable(`it runs in a root directory of its own (${root})`);
  if (argvBytes === undefined || !isUtf8(argvBytes)) return unusable('its command line is not UTF-8');
  if (isTitle(argv, executable)) return unusable('it wrote a title over its command line');
  return {
    kind: 'read',
    record: { argv, executable, cwd, environment: environment.filter(isVariable), uid: uids.real, gid: gids.real, groups },
  };
}

function unusable(reason: string): LaunchReading {
  return { kind: 'unusable', reason };
}

function key(process: { readonly startTime: number; readonly uids?: { readonly real: number } }): string {
  return `${process.startTime} ${process.uids?.real}`;
}

function sameProgram(a: Program, b: Program): boolean {
  return a.executable === b.executable && a.argv?.join('\0') === b.argv?.join('\0');
}

interface Program {
  readonly executable?: string;
  readonly argv?: readonly string[];
}

/**
 * A title set over the arguments (`nginx: master process …`, `redis-server *:6379`) is one string, mostly with blanks, and what
 * is left of the arguments' room is filled with NULs, which read as empty arguments. The arguments are lost then.
 */
function isTitle(argv: readonly string[], executable: string): boolean {
  const [first = '', ...rest] = argv;
  if (rest.some((argument) => argument !== '')) return false;
  return rest.length > 1 || (/\s/.test(first) && first.split('/').at(-1) !== executable.split('/').at(-1));
}

/** A program may have written over its environment too: what is no variable any more is left out. */
function isVariable(text: string): boolean {
  return /^[^=]+=/.test(text) && !text.includes('\ufffd');
}
