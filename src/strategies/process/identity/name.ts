// Recognises a program by its exact name.
import type { ManagedProcess } from '../../../core/alarm.ts';
import { COMM_BYTES, cutName, lastPart } from '../../../core/process/comm.ts';
import { quoted } from '../../../core/text/printable.ts';
import type { ProcessInfo } from '../../../system/proc/table.ts';
import { judgeUnitName } from '../../unit/name-policy.ts';

/** What a name is compared with. */
type NamedProcess = ProcessInfo<'name' | 'argv' | 'executable'>;

/**
 * Why the process strategy cannot look for a program of this name, in one line; undefined if it can. A name that must not be
 * touched as a unit must not be touched as a program either, unless the operator wrote a section for it (`hasOwnSection`).
 */
export function nameProblem({ systemName, systemNameConfigured }: ManagedProcess, hasOwnSection: boolean): string | undefined {
  const shown = quoted(systemName.slice(0, SHOWN_LENGTH));
  const base = systemName.split('/').at(-1) ?? '';
  if (systemName.trim() === '' || base === '.' || base === '..') return `${shown} is not a program's name`;
  if (systemName.includes('\0')) return `${shown} contains a NUL, which a program's name cannot contain`;
  if (Buffer.byteLength(base) > LONGEST_NAME || systemName.length > LONGEST_PATH)
    return `${shown}… is longer than any program's name`;
  if (OURSELVES.includes(base)) return 'it is this monitor itself';
  const judged = judgeUnitName(base, false);
  if (judged.kind === 'refused' && !hasOwnSection) return judged.reason;
  if (!systemName.includes('/')) return undefined;
  if (!systemNameConfigured) return `${shown} holds a "/": set system_name to the program's name or full path`;
  return systemName.startsWith('/') && base !== '' ? undefined : `${shown} is neither a program's name nor its full path`;
}

/**
 * Determines whether a process is the program `systemName`, by its whole name and nothing less:
 * - the name of its file (`/proc/PID/exe`);
 * - the last part of argv[0]; of a title that the program wrote there, as in `nginx: master process …`, the part before `: `;
 * - its `comm`: a script started by `#!` has its own name there, not its interpreter's. The kernel cuts `comm` at 15 bytes: a
 *   longer name must stand whole where the kernel puts a script's path, in argv[1] or argv[2];
 * - the name of the script that it runs (`scriptOf`: its full path, if the file itself says that it is a script).
 *
 * A name with a `/` is the full path of the file; or, if `isBelieved` says that the process can be trusted, of argv[0] or of such
 * a script: a process, or its starter, can set these and `comm` to anything. `python3 /opt/app.py` is python3, not `app.py`, if
 * that file is not executable or has no `#!` line: nothing distinguishes it from any other argument then.
 */
export function programMatcher<P extends NamedProcess>(
  systemName: string,
  isBelieved: (process: P) => boolean,
  scriptOf: (process: P) => string | undefined,
): (process: P) => boolean {
  const name = lastPart(systemName);
  const length = Buffer.byteLength(name);
  const cut = cutName(name);
  if (systemName.includes('/')) {
    return (process) => {
      const { name: comm, executable, argv = [] } = process;
      if (executable === systemName) return true;
      const claimed = argv[0] === systemName || (comm === cut && argv.slice(1, 3).includes(systemName));
      return (claimed || scriptOf(process) === systemName) && isBelieved(process);
    };
  }
  return (process) => {
    const { name: comm, executable, argv = [] } = process;
    const file = executable === undefined ? undefined : lastPart(executable);
    const called = calledName(argv);
    if (file === name || called === name) return true;
    const scripts = argv.slice(1, 3).map(lastPart);
    // A comm of 15 bytes may be the beginning of a longer name.
    const whole = [file, called, ...scripts].find((other) => other?.startsWith(name) && other !== name);
    const isComm = comm === cut && (length > COMM_BYTES ? scripts.includes(name) : length < COMM_BYTES || whole === undefined);
    if (isComm) return true;
    const script = scriptOf(process);
    return script !== undefined && lastPart(script) === name;
  };
}

/** `nginx` of `nginx: master process /usr/sbin/nginx -c …`: a title is one string, and its last part means nothing. */
function calledName(argv: readonly string[]): string | undefined {
  const [first, ...rest] = argv;
  if (first === undefined) return undefined;
  const title = rest.every((argument) => argument === '') ? /^([^\s:]+): /.exec(first)?.[1] : undefined;
  return lastPart(title ?? first);
}

const LONGEST_NAME = 255;
const LONGEST_PATH = 4095;
const SHOWN_LENGTH = 60;
const OURSELVES: readonly string[] = ['monitor_service', 'monitor_service.service'];
