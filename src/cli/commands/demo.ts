import type { Command } from 'commander';
import type { Cli } from '../cli-context.ts';

/** `demo`: the main job on a store of its own. */
export function addDemo(program: Command, cli: Cli): void {
  program
    .command('demo')
    .description('show a killed process come back; needs no configuration, database or root')
    .addHelpText('after', '\nIt goes on as a daemon until Ctrl-C and leaves nothing behind.')
    .action(async () => {
      const signals = cli.io.listenForSignals();
      const { runDemo } = await cli.backends();
      await runDemo({ version: cli.io.version, signals, say: cli.say });
    });
}
