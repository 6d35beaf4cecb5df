import { resolve } from 'node:path';
import { lastPart } from '../../../core/process/comm.ts';
import { isShell, programName } from '../../../core/program/interpreters.ts';
import { readScript } from '../../../system/launch/script-file.ts';
import type { SeenProcess } from '../../../system/proc/look.ts';
import type { ProcessTable } from '../../../system/proc/table.ts';
import { commandsOf, programAt } from '../../command/words.ts';

/**
 * Whether a process is a shell that exists for its child `root` alone: it has no terminal, and its script or text soon runs
 * that as its last command, or runs `wait` for it. If both are restarted together, nothing that it did before is lost or
 * needlessly repeated. A batch job, a loop, or a person's shell is not a wrapper.
 */
export function isWrapperOf(table: ProcessTable, shellPid: number, root: SeenProcess): boolean {
  const shell = table.read(shellPid, ['executable', 'argv', 'cwd', 'startTime', 'terminalDevice']);
  if (shell === undefined || root.ppid !== shellPid || shell.terminalDevice !== 0) return false;
  const { executable = '', argv = [], cwd = '/' } = shell;
  if (!isShell(programName(executable, argv)) || root.startTime - shell.startTime > SOON_TICKS) return false;
  const text = textOf(argv, cwd);
  const last = text === undefined ? undefined : lastCommand(text);
  if (last === undefined) return false;
  if (last[0] === 'wait') return true;
  const called = lastPart(last[programAt(last)] ?? '');
  return called !== '' && [root.name, lastPart(root.executable ?? ''), lastPart(root.argv?.[0] ?? '')].includes(called);
}

/** Ten seconds of clock ticks (proc_pid_stat(5)): what takes longer is work of its own. */
const SOON_TICKS = 1000;

/** What a shell was given to run; undefined if that is neither a text nor a file. */
function textOf(argv: readonly string[], cwd: string): string | undefined {
  const words = argv.slice(1);
  const at = words.findIndex((word) => !/^[-+]./.test(word));
  const file = words[at];
  if (file === undefined) return undefined;
  const options = words.slice(0, at);
  if (options.some((option) => /^-\w*i/.test(option))) return undefined;
  return options.some((option) => /^-\w*c/.test(option)) ? file : readScript(resolve(cwd, file));
}

/** The last command other than `exit`; undefined if it is in a loop or another list, or is not waited for. */
function lastCommand(text: string): readonly string[] | undefined {
  if (/&\s*$/.test(text)) return undefined;
  return commandsOf(text)
    .filter(([first]) => first !== 'exit')
    .at(-1);
}
