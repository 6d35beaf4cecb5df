// The health check by a command.
import { randomUUID } from 'node:crypto';
import { commandEnvironment, expandCommand, previewCommand } from '../core/command-template.ts';
import { commandFailure } from '../system/spawn/command-result.ts';
import type { HealthCheckDefinition } from './health-check.ts';

/** The options that the command check reads from `[process.NAME]`. */
interface CommandCheckOptions {
  /** `health_check_command`, `%s` not yet expanded. */
  readonly line: string;
}

/** `health_check_command`: healthy if it exits with code 0. What it leaves running is killed. Source: the bash service. */
export const commandCheck = {
  parse: (section) => {
    const line = section.command('health_check_command');
    return line === undefined ? undefined : { line };
  },
  create: ({ line: template }: CommandCheckOptions, { commands }) => ({
    description: 'health_check_command',
    refusal: (process) => {
      const expanded = expandCommand(template, process);
      return expanded.kind === 'refused' ? expanded.reason : undefined;
    },
    commands: (process, limitMs) => previewCommand('health_check_command', template, process, limitMs).commands,
    check: async (process, attempt, timeoutMs, signal) => {
      const expanded = expandCommand(template, process);
      if (expanded.kind === 'refused') return { kind: 'unhealthy', reason: expanded.reason };
      const result = await commands.run(
        {
          line: expanded.line,
          kind: 'check',
          // Not the attempt's id: one attempt tries a check many times, and nobody waits for a check after the daemon has died.
          runId: `check-${randomUUID()}`,
          description: `health_check_command of ${process.processName}`,
          environment: commandEnvironment(process, attempt),
          timeoutMs,
        },
        signal,
      );
      if (result.kind === 'not_started' || result.kind === 'lost')
        return { kind: 'unhealthy', reason: `could not be checked: ${result.reason}`, unseen: true };
      const failure = commandFailure(result);
      return failure === undefined ? { kind: 'healthy' } : { kind: 'unhealthy', reason: failure };
    },
  }),
} satisfies HealthCheckDefinition<CommandCheckOptions>;
