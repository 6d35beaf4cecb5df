import { type Command, InvalidArgumentError } from 'commander';
import type { Cli } from '../cli-context.ts';
import { parseDuration } from '../duration.ts';
import { exitCodeHelp } from '../exit-codes.ts';
import { localTime } from '../local-time.ts';
import { placeOrder, refuse } from '../place-order.ts';
import { nameArgument } from './name-argument.ts';
import { scopeOf } from './scope.ts';

interface HoldOptions {
  readonly all?: true;
  readonly for?: number;
  readonly reason?: string;
  readonly strict?: true;
}

/** `hold NAME|--all [--for TIME] [--reason TEXT] [--strict]`. */
export function addHold(program: Command, cli: Cli): void {
  program
    .command('hold')
    .description('no restarts of a process, or of any, for a while')
    .argument('[name]', 'the process', nameArgument)
    .option('--all', 'every process')
    .option('--for <time>', 'it ends by itself after 90 (seconds), 90s, 30m, 2h or 1d; else when released', timeArgument)
    .option('--reason <text>', 'for those who read status and log', reasonArgument, '')
    .option('--strict', 'nor is it started because another unit wants it (Wants=): that one is not restarted then')
    .addHelpText('after', HELP)
    .action((name: string | undefined, options: HoldOptions, command: Command) =>
      hold(cli, scopeOf(command, name, options.all), options),
    );
}

const HELP = `
A hold outlives a restart of the daemon. Alarms raised meanwhile stay and are healed when it ends. Other names of the same unit
or program are held with it. A unit on hold that is down is not started through another either: what has it in Requires=,
BindsTo= or Upholds= is not restarted; what has it in Wants= alone is, unless the hold is --strict.

Examples:
  monitor_service hold nginx --for 2h --reason "upgrade, ask Ana"
  monitor_service hold --all --for 30m

${exitCodeHelp([0, 64, 66, 69, 75, 76, 77, 78])}`;

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
  const reply = await placeOrder(cli, 'writing to the state', (desk) =>
    desk.hold(name, forMs, reason, ...(strict ? [strict] : [])),
  );
  if (reply.kind === 'refused') return refuse(cli, reply);
  cli.say(`${name ?? 'all processes'} on hold until ${reply.until === null ? 'released' : localTime(reply.until)}`);
}
