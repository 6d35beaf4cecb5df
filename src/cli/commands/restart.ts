import type { Command } from 'commander';
import { counted } from '../../core/text/counted.ts';
import type { Cli } from '../context.ts';
import { exitCodeHelp, exitCodes } from '../exit-codes.ts';
import { placeOrder, refuse } from '../place-order.ts';
import { formatDuration } from '../terminal/duration.ts';
import { nameArgument } from './name-argument.ts';

/** Adds `restart NAME`, which runs one recovery now. */
export function addRestart(program: Command, cli: Cli): void {
  program
    .command('restart')
    .description('run one recovery now, whatever the circuit breaker says, and wait for its end')
    .argument('<name>', 'the process, as the database or the configuration names it', nameArgument)
    .addHelpText('after', HELP)
    .action((name: string) => restart(cli, name));
}

const HELP = `
It restarts the process with its strategy, proves that it is healthy, and clears
its alarm if it has one. It does not ask the circuit breaker, but counts for it:
success closes it, failure counts as one of an alarm does, and reopens one that
was open. If no daemon runs, the command does all of it.

Examples:
  monitor_service restart nginx
  monitor_service restart -- -odd-name

${exitCodeHelp([0, 1, 64, 66, 69, 75, 76, 77, 78, 130], {
  1: 'the process did not recover, or was not restarted',
  130: 'Ctrl-C ended the command; the recovery in the daemon continues (without a daemon it is aborted, with code 1)',
})}`;

async function restart(cli: Cli, name: string): Promise<void> {
  if (cli.err.terminal !== undefined) cli.complain(`recovering ${name} …`);
  const reply = await placeOrder(cli, 'recovering it here', (orders) => orders.recover(name));
  switch (reply.kind) {
    case 'recovered':
      cli.say(`${name} recovered: ${counted(reply.attempts, 'attempt', 'attempts')}, ${formatDuration(reply.durationMs)}`);
      return;
    case 'failed':
      cli.complain(`${name} did not recover: ${reply.reason}`);
      cli.exitCode = exitCodes.failed;
      return;
    case 'not_proved':
      cli.complain(`${name} was restarted, but not proved healthy: ${reply.reason}`);
      cli.exitCode = exitCodes.failed;
      return;
    case 'skipped':
      cli.complain(`${name} was not restarted: ${reply.reason}`);
      cli.exitCode = exitCodes.failed;
      return;
    case 'refused':
      refuse(cli, reply);
      return;
    default:
      return reply satisfies never;
  }
}
