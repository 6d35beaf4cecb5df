import type { Command } from 'commander';
import { printable } from '../../core/text/printable.ts';
import { askDaemon } from '../ask-daemon.ts';
import type { Cli } from '../context.ts';
import { exitCodeHelp, exitCodes } from '../exit-codes.ts';
import { refuse } from '../place-order.ts';

/** Adds `reload`, which the unit runs as ExecReload. */
export function addReload(program: Command, cli: Cli): void {
  program
    .command('reload')
    .description('let the daemon read its configuration again')
    .addHelpText('after', HELP)
    .action(() => reload(cli));
}

const HELP = `
A file with errors is refused, and the running configuration stays: its errors,
and the warnings of the file itself, are printed. check-config says more.

${exitCodeHelp([0, 64, 69, 75, 76, 77, 78, 130], {
  69: 'no daemon runs, or it does not answer',
  78: 'the file has errors: nothing was changed',
})}`;

async function reload(cli: Cli): Promise<void> {
  const reply = await askDaemon(cli, (daemon) => daemon.reload());
  if (reply.kind === 'refused') {
    if (reply.code !== 'invalid') return refuse(cli, reply);
    // Each problem names file and line, in the form of check-config.
    for (const line of reply.reason.split('\n')) cli.err.write(`${printable(line)}\n`);
    cli.complain('the configuration was not reloaded; the running one stays');
    cli.exitCode = exitCodes.config;
    return;
  }
  for (const warning of reply.warnings) cli.err.write(`${printable(warning)} (warning)\n`);
  if (reply.changes.length === 0) cli.say('reloaded: nothing changed');
  for (const change of reply.changes) cli.say(`reloaded: ${change}`);
}
