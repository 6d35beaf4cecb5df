import type { Logger } from '../core/logger.ts';
import type { CommandRunner } from '../system/runs/runner.ts';

/** Wraps `commands` so that their output is logged at debug. */
export function logOutput(commands: CommandRunner, log: Logger): CommandRunner {
  return {
    waitForRun: (...run) => commands.waitForRun(...run),
    run: async (command, signal) => {
      const result = await commands.run(command, signal);
      const output = result.kind === 'not_started' ? '' : result.output.trim();
      if (output !== '') log.debug(`Output of ${command.description}: ${output}`, { run_id: command.runId });
      return result;
    },
  };
}
