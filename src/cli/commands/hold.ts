// The command `hold`.
import { type Command, InvalidArgumentError } from 'commander';
import { heldName } from '../../core/hold-words.ts';
import type { Cli } from '../context.ts';
import { exitCodeHelp } from '../exit-codes.ts';
import { placeOrder, refuse } from '../place-order.ts';
import { parseDuration } from '../terminal/duration.ts';
import { localTime } from '../terminal/local-time.ts';
import { nameArgument } from './name-argument.ts';
import { scopeOf } from './scope.ts';

interface HoldOptions {
  readonly all?: true;
  readonly for?: number;
  readonly reason?: string;
  readonly strict?: true;
}

/** Adds `hold NAME|--all [--for TIME] [--reason TEXT] [--strict]`, which suspends restarts. */
export function addHold(program: Command, cli: Cli): void {
  program
    .command('hold')
    .description('suspend restarts of one process, or of all, for a while')
    .argument('[name]', 'the process', nameArgument)
    .option('--all', 'every process')
    .option('--for <time>', 'end it after 90 (seconds), 90s, 30m, 2h or 1d; without it, when released', timeArgument)
    .option('--reason <text>', 'why; status and log show it', reasonArgument, '')
    .option('--strict', 'also do not restart units that have it in Wants= while it is down')
    .addHelpText('after', HELP)
    .action((name: string | undefined, options: HoldOptions, command: Command) =>
      hold(cli, scopeOf(command, name, options.all), options),
    );
}

const HELP = `
A hold outlives a restart of the daemon. Alarms raised meanwhile stay and are
healed when it ends. Other names of the same unit or program are held with it.
While a unit on hold is down, a unit that has it in Requires=, BindsTo= or
Upholds= is not restarted, since systemd would start it. A unit that has it in
Wants= alone is restarted, unless the hold is --strict.

Examples:
  monitor_service hold nginx --for 2h --reason "upgrade, ask Ana"
  monitor_service hold --all --for 30m

${exitCodeHelp([0, 64, 66, 69, 75, 76, 77, 78, 130])}`;

function timeArgument(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError('Expected 90, 90s, 30m, 2h or 1d, up to ten years.');
  return ms;
}

function reasonArgument(text: string): string {
  if (text.length > 1000) throw new InvalidArgumentError('Expected at most 1000 characters.');
  return text;
}

async function hold(cli: Cli, name: string | undefined, { for: forMs, reason = '', strict }: HoldOptions): Promise<void> {
  const reply = await placeOrder(cli, 'writing to the state', (orders) =>
    orders.hold(name, forMs, reason, ...(strict ? [strict] : [])),
  );
  if (reply.kind === 'refused') return refuse(cli, reply);
  if (reply.unsaved !== undefined) cli.complain(`the hold is not saved, and ends with the daemon: ${reply.unsaved}`);
  cli.say(`${heldName(name ?? null)} on hold until ${reply.until === null ? 'released' : localTime(reply.until)}`);
}
