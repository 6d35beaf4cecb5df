// The commands of a service, and how each of them ended.

import { signalName } from '../../core/process/wait-status.ts';
import { printable } from '../../core/text/printable.ts';
import type { DbusValue } from './dbus/values.ts';
import type { Properties } from './properties.ts';

/** How a process of a unit ended, as systemd reports it (waitid(2)). */
export const CLD_EXITED = 1;
export const CLD_KILLED = 2;
export const CLD_DUMPED = 3;

/** The command lists of a service, in the order in which they run. Source: systemd.service(5). */
export const COMMAND_LISTS = [
  'ExecCondition',
  'ExecStartPre',
  'ExecStart',
  'ExecStartPost',
  'ExecReload',
  'ExecStop',
  'ExecStopPost',
] as const;

/** One command of a service, and the result of its last run. */
interface ExecCommand {
  /** `ExecStartPre=/bin/false`, printable. Only the file, because arguments may hold a secret. */
  readonly name: string;
  /** The command has a `-` prefix: its failure is ignored. */
  readonly ignored: boolean;
  /** When the command last started and ended, in microseconds since boot; 0 if never. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** One of the CLD_ constants; 0 while the command runs, or if it never ran. */
  readonly code: number;
  /** The exit code or the signal. */
  readonly status: number;
}

/** Returns the commands of a service, of those lists that `values` contains (COMMAND_LISTS). */
export function commandsOf(values: Properties): ExecCommand[] {
  return COMMAND_LISTS.flatMap((list) => {
    const commands = values.get(list);
    return Array.isArray(commands) ? commands.flatMap((command) => parse(list, command)) : [];
  });
}

/** Returns the command that failed last; undefined if none has failed. */
export function failedCommand(values: Properties): ExecCommand | undefined {
  const failed = commandsOf(values).filter(
    ({ ignored, code, status }) => !ignored && (code === CLD_EXITED ? status !== 0 : code !== 0),
  );
  return latest(failed, 'endedAt');
}

/** Returns the command that runs now. If several run, the one that started last. Undefined if none runs. */
export function runningCommand(values: Properties): ExecCommand | undefined {
  const running = commandsOf(values).filter(({ startedAt, code }) => startedAt > 0 && code === 0);
  return latest(running, 'startedAt');
}

/** If several commands have the same time, the last one in the list. */
function latest(commands: readonly ExecCommand[], by: 'startedAt' | 'endedAt'): ExecCommand | undefined {
  return [...commands].sort((a, b) => a[by] - b[by]).at(-1);
}

/**
 * Describes how a process ended: `ended with exit code 203 (EXEC)`, `was killed by SIGSEGV and left a core dump`. Undefined for
 * other codes.
 */
export function endWords(code: number, status: number): string | undefined {
  switch (code) {
    case CLD_EXITED: {
      const meaning = EXIT_CODES[status];
      return `ended with exit code ${status}${meaning === undefined ? '' : ` (${meaning})`}`;
    }
    case CLD_KILLED:
      return `was killed by ${signalName(status)}`;
    case CLD_DUMPED:
      return `was killed by ${signalName(status)} and left a core dump`;
    default:
      return undefined;
  }
}

/** The exit codes that systemd itself uses if it cannot execute a command. Source: systemd.exec(5), "Process Exit Codes". */
const EXIT_CODES: Readonly<Record<number, string>> = {
  200: 'CHDIR: its WorkingDirectory= cannot be entered',
  203: 'EXEC: it cannot be executed',
  209: 'STDOUT: its StandardOutput= cannot be opened',
  216: 'GROUP: its Group= is not known',
  217: 'USER: its User= is not known',
  226: 'NAMESPACE: its file system namespace cannot be set up',
  233: 'RUNTIME_DIRECTORY: its RuntimeDirectory= cannot be made',
  238: 'STATE_DIRECTORY: its StateDirectory= cannot be made',
};

/** A command is a `(sasbttttuii)`: path, argv, ignored; start and end time, each by both clocks; pid, code, status. */
function parse(list: string, command: DbusValue): ExecCommand[] {
  if (!Array.isArray(command)) return [];
  const [path, , ignored, , startedAt, , endedAt, , code, status] = command;
  if (typeof path !== 'string') return [];
  return [
    {
      name: `${list}=${printable(path.slice(0, LONGEST_PATH))}`,
      ignored: ignored === true,
      startedAt: Number(startedAt ?? 0),
      endedAt: Number(endedAt ?? 0),
      code: Number(code ?? 0),
      status: Number(status ?? 0),
    },
  ];
}

const LONGEST_PATH = 200;
