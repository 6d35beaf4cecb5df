import type { Command } from 'commander';
import type { OrderedAlarm } from '../../control/orders/alarm.ts';
import type { Cli } from '../context.ts';
import { exitCodeHelp } from '../exit-codes.ts';
import { placeOrder, refuse } from '../place-order.ts';
import { nameArgument } from './name-argument.ts';

/** Adds `alarm NAME|ID [--clear] [--notes TEXT]`, which raises or ends an alarm. */
export function addAlarm(program: Command, cli: Cli): void {
  program
    .command('alarm')
    .description('mark a process as in alarm, so that it is healed; or end its alarm')
    .argument('<name|id>', 'the process, by process_name or process_id', nameArgument)
    .option('--clear', 'end the alarm instead')
    .option('--notes <text>', 'write this to the notes of the row; without it they stay as they are')
    .addHelpText('after', HELP)
    .action((process: string, options: { clear?: true; notes?: string }) => alarm(cli, process, options));
}

const HELP = `
If no restart will follow, it says why: a hold, an open circuit breaker, mode =
observe, only_configured, that a restart would be refused, or that what it
depends on is in alarm and not well. If a restart is tried and cannot help
(there is no such unit, its program is gone), it says that. Without --notes the
notes of the row stay as they are. If no daemon runs, the command writes to the
store, and the daemon heals the alarm when it runs again.

Examples:
  monitor_service alarm nginx --notes "answers 502"
  monitor_service alarm 12 --clear

${exitCodeHelp([0, 64, 66, 69, 75, 76, 77, 78, 130], {
  66: 'there is no process of that name or id, or it has no row in STATUS_PROCESS',
})}`;

async function alarm(cli: Cli, process: string, { clear = false, notes }: { clear?: boolean; notes?: string }): Promise<void> {
  const reply = await placeOrder(cli, 'writing to the store', (orders) => orders.alarm(process, clear, notes));
  if (reply.kind === 'refused') return refuse(cli, reply);
  for (const each of reply.processes) {
    const row = each.id === null ? 'stored locally' : `id ${each.id}`;
    if (each.wasNotInAlarm) cli.say(`${each.name} (${row}) is not in alarm: nothing to end`);
    else cli.say(`alarm ${clear ? 'ended' : 'raised'}: ${each.name} (${row})${prospect(each)}`);
  }
}

/** What to expect of the alarm; a restart that is not tried cannot fail. */
function prospect({ willNotFollow = [], willFail = [] }: OrderedAlarm): string {
  if (willNotFollow.length > 0) return `; no restart will follow: ${willNotFollow.join('; ')}`;
  return willFail.length === 0 ? '' : `; a restart is tried and will fail: ${willFail.join('; ')}`;
}
