import type { Command } from 'commander';
import type { Cli } from '../context.ts';
import { exitCodeHelp } from '../exit-codes.ts';

/** Adds `run [--verbose]`, the default command, which runs the daemon in the foreground. */
export function addRun(program: Command, cli: Cli): void {
  program
    .command('run', { isDefault: true })
    .description('run the daemon in the foreground (what the unit does)')
    .option('--verbose', 'log everything, at debug level')
    .addHelpText('after', HELP)
    .action(async ({ verbose }: { verbose?: true }) => {
      const signals = cli.io.listenForSignals();
      const { runDaemon } = await cli.backends();
      await runDaemon({ configFile: cli.configFile(), verbose: verbose ?? false, version: cli.io.version, signals });
    });
}

const HELP = `
Signals:
  TERM, INT  stop: recoveries under way may end; a second signal aborts them
  HUP        read the configuration again

Examples:
  monitor_service run --config ./config.ini --verbose

${exitCodeHelp([0, 64, 75, 77, 78], {
  0: 'done: a signal ended it',
  75: 'another daemon, or a command, uses the same state_dir or control socket',
})}`;
