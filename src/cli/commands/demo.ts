import type { Command } from 'commander';
import type { DaemonSignals } from '../../app/daemon.ts';
import type { Cli } from '../context.ts';
import { exitCodeHelp } from '../exit-codes.ts';

/** Adds `demo`, which shows the daemon at work on its own store. */
export function addDemo(program: Command, cli: Cli): void {
  program
    .command('demo')
    .description('show a killed process come back; needs no configuration, database or root')
    .addHelpText('after', HELP)
    .action(async () => {
      const signals = endsWithReader(cli.io.listenForSignals(), cli);
      const { runDemo } = await cli.backends();
      await runDemo({ version: cli.io.version, signals, say: cli.say });
    });
}

/** The signals, and a stop when nobody reads the output any more: what would be shown is all that a demo is for. */
function endsWithReader(signals: DaemonSignals, { io }: Cli): DaemonSignals {
  return {
    ...signals,
    onStop: (handler) => {
      signals.onStop(handler);
      io.stdout.on('error', handler);
    },
  };
}

const HELP = `
It runs a daemon on a store in a temporary folder until Ctrl-C, or until nobody
reads its output any more; then it ends the programs that it started, and
removes the folder.

${exitCodeHelp([0, 64, 77], {
  0: 'done: Ctrl-C ended it',
  77: 'no permission to write to the temporary folder ($TMPDIR, else /tmp)',
})}`;
