// `type = command`: a command of the operator's, such as a monitoring plugin.
import { randomUUID } from 'node:crypto';
import { printable } from '../../../core/text/printable.ts';
import { type CommandResult, commandFailure, NO_COMMAND } from '../../../system/spawn/command-result.ts';
import type { CheckType, Reading } from '../check.ts';

/** The keys of `type = command`. */
interface CommandCheckOptions {
  /** `command`, a shell line; nothing in it is replaced. */
  readonly line: string;
  /** `exit_codes`: `simple`: 0 is ok; `nagios`: 0 ok, 1 warning, 2 critical, 3 unknown. */
  readonly exitCodes: 'simple' | 'nagios';
}

/** `type = command`: judged by its exit code. What it leaves running is killed, as after a health check. Source of `nagios`: the Monitoring Plugins guidelines. */
export const commandTypeCheck: CheckType<CommandCheckOptions> = {
  keys: ['command', 'exit_codes'],
  parse: (section) => {
    const line = section.command('command');
    const exitCodes = section.choice('exit_codes', ['simple', 'nagios'], 'simple');
    if (line !== undefined) return { line, exitCodes };
    section.refuse('command', 'is missing: type = command needs a command');
    return undefined;
  },
  create: ({ line, exitCodes }, { name, processName, systemName }, { commands }) => ({
    description: 'command',
    look: async (timeoutMs, signal) => {
      const result = await commands.run(
        {
          line,
          kind: 'check',
          runId: `check-${randomUUID()}`,
          description: `command of check ${name}`,
          environment: {
            MONITOR_CHECK_NAME: name,
            ...(processName !== undefined && { MONITOR_PROCESS_NAME: processName, MONITOR_SYSTEM_NAME: systemName }),
          },
          timeoutMs,
        },
        signal,
      );
      return result.kind === 'exited' && exitCodes === 'nagios' ? pluginReading(result) : reading(result);
    },
  }),
};

function reading(result: CommandResult): Reading {
  const failure = commandFailure(result);
  if (failure === undefined) return { kind: 'ok' };
  // A command that was not there, was killed, or never ran has seen nothing.
  const hasLooked = result.kind === 'timed_out' || (result.kind === 'exited' && !NO_COMMAND.includes(result.exitCode));
  return { kind: hasLooked ? 'failing' : 'unknown', reason: failure };
}

function pluginReading(result: Extract<CommandResult, { kind: 'exited' }>): Reading {
  const [first = ''] = result.output.split('\n', 1);
  // What follows are values for graphs.
  const text = printable((first.split('|', 1)[0] ?? '').slice(0, LONGEST)).trim();
  const reason = text === '' ? `exit code ${result.exitCode}` : text;
  if (result.exitCode === 0) return { kind: 'ok' };
  if (result.exitCode === 1) return { kind: 'failing', reason, isWarning: true };
  if (result.exitCode === 2) return { kind: 'failing', reason };
  return {
    kind: 'unknown',
    reason: result.exitCode === 3 ? reason : `exit code ${result.exitCode} (expected 0 to 3): ${reason}`,
  };
}

const LONGEST = 400;
