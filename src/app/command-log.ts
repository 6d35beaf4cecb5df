import type { EventBus } from '../core/events.ts';
import type { Logger } from '../core/logger.ts';
import { lastLines } from '../core/text/last-lines.ts';
import type { CommandRunner } from '../system/runs/runner.ts';

/** Wraps `commands` so that their output is logged at debug; what the commands of a recovery write is an event too. */
export function reportOutput(commands: CommandRunner, log: Logger, events: EventBus): CommandRunner {
  return {
    waitForRun: (...run) => commands.waitForRun(...run),
    run: async (command, signal) => {
      const result = await commands.run(command, signal);
      const output = result.kind === 'not_started' ? '' : result.output.trim();
      if (output === '') return result;
      const { description, kind, environment, runId } = command;
      log.debug(`Output of ${description}: ${output}`, { run_id: runId });
      const processName = environment.MONITOR_PROCESS_NAME;
      if (kind === 'action' && processName !== undefined)
        events.emit({ type: 'command_output', processName, description, output: lastLines(output, MAX_LINES, MAX_LINE) });
      return result;
    },
  };
}

const MAX_LINES = 20;
const MAX_LINE = 400;
