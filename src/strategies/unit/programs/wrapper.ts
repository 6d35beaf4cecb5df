import { resolve } from 'node:path';
import { lastPart } from '../../../core/process/comm.ts';
import { isShell, programName } from '../../../core/program/interpreters.ts';
import { readScript } from '../../../system/launch/script-file.ts';
import type { SeenProcess } from '../../../system/proc/look.ts';
import type { ProcessTable } from '../../../system/proc/table.ts';
import { commandsOf, programAt } from '../../command/words.ts';

/**
 * Whether a process is a shell that is there for its child `root` alone: without a terminal, its script or text soon comes to that as
 * the last thing it does, or to `wait` for it. Nothing of what it did before is lost, or done a second time for nothing, if both are
 * restarted together; a batch job, a loop, or somebody's shell is none.
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

/** The last command that is none of `exit`; undefined if it stands in a loop or another list, or is not waited for. */
function lastCommand(text: string): readonly string[] | undefined {
  if (/&\s*$/.test(text)) return undefined;
  return commandsOf(text)
    .filter(([first]) => first !== 'exit')
    .at(-1);
}
