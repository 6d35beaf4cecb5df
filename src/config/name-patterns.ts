import { COMM_BYTES } from '../core/comm.ts';
import { executedPrograms } from '../core/shell/executed-programs.ts';
import { operandsOf } from './own-formats.ts';

/**
 * Which programs in a command look for a process by a name of more than 15 bytes, of which the kernel keeps 15 (proc_pid_stat(5), comm):
 * they find nothing, ever; but for those that look through command lines (`-f`). `line`: a command as it will run, with these variables.
 * Source: pgrep(1), pkill(1), start-stop-daemon(8).
 */
export function namesTooLong(
  line: string,
  environment: Readonly<Record<string, string>>,
): { readonly program: string; readonly name: string }[] {
  if (!/pgrep|pkill|start-stop-daemon/.test(line)) return [];
  const { programs } = executedPrograms(line, (name) => Object.hasOwn(LOOKING, name), environment);
  return programs.flatMap(({ name: program, arguments: args }) => {
    const name = LOOKING[program]?.(args);
    return name !== undefined && isTooLong(name) ? [{ program, name }] : [];
  });
}

/** The name, or the pattern for names, that a program is told of; undefined if it looks by something else. */
const LOOKING: Readonly<Record<string, (args: readonly string[]) => string | undefined>> = {
  pgrep: (args) => patternOf(args),
  pkill: (args) => patternOf(args.filter((word) => !/^-(?:\d+|[A-Z][A-Z0-9+-]+)$/.test(word))),
  'start-stop-daemon': (args) => args[args.findIndex((word) => word === '-n' || word === '--name') + 1 || args.length],
};

function patternOf(args: readonly string[]): string | undefined {
  if (args.some((word) => word === '--full' || FULL.test(word))) return undefined;
  return operandsOf(args, VALUED)[0];
}

/** No letter before it takes the rest of the word as its value. */
const FULL = /^-[acilnovwxe]*f/;
const VALUED =
  /^(?:-[acilnovwxe]*[dFgGPsrtuUq]|--(?:delimiter|pgroup|group|parent|session|terminal|euid|uid|pidfile|runstates|ns|nslist|cgroup|env|signal|queue))$/;

/** A pattern may be shorter than its text; of one of plain characters the length is known. */
function isTooLong(pattern: string): boolean {
  const text = pattern
    .replace(/^\^/, '')
    .replace(/\$$/, '')
    .replace(/\\(?=[.+-])/g, '');
  return !/[[\](){}|*+?\\$]/.test(text) && Buffer.byteLength(text) > COMM_BYTES;
}
