import { signalName } from '../../core/process/wait-status.ts';
import { printable } from '../../core/text/printable.ts';
import type { DbusValue } from './dbus/values.ts';
import type { Properties } from './properties.ts';

/** How a process of a unit's ended, as systemd tells it (waitid(2)). */
export const CLD_EXITED = 1;
export const CLD_KILLED = 2;
export const CLD_DUMPED = 3;

/** The lists of commands that a service has, in the order in which they run. Source: systemd.service(5). */
export const COMMAND_LISTS = [
  'ExecCondition',
  'ExecStartPre',
  'ExecStart',
  'ExecStartPost',
  'ExecReload',
  'ExecStop',
  'ExecStopPost',
] as const;

/** One command of a service, and how it went last. */
interface ExecCommand {
  /** `ExecStartPre=/bin/false`, printable: the file alone, for arguments may hold a secret. */
  readonly name: string;
  /** A `-` stands before it: that it fails does not matter. */
  readonly ignored: boolean;
  /** When it was started and ended last, in microseconds since boot; 0 if it never did. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** CLD_EXITED and its kin; 0 while it runs, and where it never did. */
  readonly code: number;
  /** Its exit code, or the signal. */
  readonly status: number;
}

/** The commands of a service, as far as `values` has them (COMMAND_LISTS). */
export function commandsOf(values: Properties): ExecCommand[] {
  return COMMAND_LISTS.flatMap((list) => {
    const commands = values.get(list);
    return Array.isArray(commands) ? commands.flatMap((command) => parse(list, command)) : [];
  });
}

/** The command that failed last; undefined if none has. */
export function failedCommand(values: Properties): ExecCommand | undefined {
  const failed = commandsOf(values).filter(
    ({ ignored, code, status }) => !ignored && (code === CLD_EXITED ? status !== 0 : code !== 0),
  );
  return latest(failed, 'endedAt');
}

/** The command that runs now, the one that was started last of several; undefined if none does. */
export function runningCommand(values: Properties): ExecCommand | undefined {
  const running = commandsOf(values).filter(({ startedAt, code }) => startedAt > 0 && code === 0);
  return latest(running, 'startedAt');
}

/** Of several at the same time the last in the list. */
function latest(commands: readonly ExecCommand[], by: 'startedAt' | 'endedAt'): ExecCommand | undefined {
  return [...commands].sort((a, b) => a[by] - b[by]).at(-1);
}

/** `ended with exit code 203 (EXEC)`, `was killed by SIGSEGV and left a core dump`; undefined if it did not end so. */
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

/** What systemd itself ends with where it cannot even execute a command. Source: systemd.exec(5), "Process Exit Codes". */
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

/** `(sasbttttuii)`: path, argv, ignored; started and ended, each by both clocks; pid, code, status. */
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
