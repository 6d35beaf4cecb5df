// The command `uptime`.
import { type Command, InvalidArgumentError } from 'commander';
import { mostDays, type UptimeOf, type Uptimes } from '../../control/orders/uptime.ts';
import { printable } from '../../core/text/printable.ts';
import type { Cli } from '../context.ts';
import { exitCodeHelp } from '../exit-codes.ts';
import { placeOrder, refuse } from '../place-order.ts';
import { formatDuration } from '../terminal/duration.ts';
import { jsonText } from '../terminal/json-output.ts';
import { localTime } from '../terminal/local-time.ts';
import { renderTable } from '../terminal/table.ts';
import { nameArgument } from './name-argument.ts';

/** Adds `uptime [NAME] [--days N] [--json]`, which tells how long processes and checks were up. */
export function addUptime(program: Command, cli: Cli): void {
  program
    .command('uptime')
    .description('tell how long processes and checks were up, and how often and how long they were down')
    .argument('[name]', 'a process or a check; without it, all of them', nameArgument)
    .option('--days <n>', 'of the last so many days, up to 400', daysArgument, 30)
    .option('--json', 'as JSON, for programs')
    .addHelpText('after', HELP)
    .action((name: string | undefined, { days, json }: { days: number; json?: true }) =>
      uptime(cli, name, days, json ?? false),
    );
}

const HELP = `
A process is down from its first sign of trouble until that is over, a check
while it fails. UPTIME is up / (up + down), rounded down; "-" if nothing is
known. On hold it is neither. Nothing is known while no daemon runs, while the
alarm store does not answer, and before a check has looked.

Examples:
  monitor_service uptime
  monitor_service uptime nginx --days 365 --json

${exitCodeHelp([0, 64, 66, 69, 75, 76, 77, 78, 130])}`;

function daysArgument(text: string): number {
  const days = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (days < 1 || days > mostDays) throw new InvalidArgumentError(`Expected a whole number from 1 to ${mostDays}.`);
  return days;
}

async function uptime(cli: Cli, name: string | undefined, days: number, json: boolean): Promise<void> {
  const reply = await placeOrder(cli, 'reading the history', (orders) => orders.uptime(name, days));
  if (reply.kind === 'refused') return refuse(cli, reply);
  const { kind: _, ...found } = reply;
  if (json) cli.out.write(jsonText(found));
  else if (found.uptimes.length === 0) cli.say('no process and no check is configured');
  else for (const line of table(cli, found)) cli.out.write(`${line}\n`);
}

function table(cli: Cli, { from, uptimes }: Uptimes): string[] {
  const rows = uptimes.map((one) => fields(one).map((text) => ({ text })));
  const header = ['NAME', 'UPTIME', 'OUTAGES', 'LONGEST', 'MEAN', 'DOWN', 'HELD', 'UNKNOWN'];
  const lines = renderTable(header, rows, { width: cli.out.terminal?.columns, colour: cli.out.colour });
  return [`since ${localTime(from)}`, ...lines];
}

function fields({ name, percent, outages, longestMs, meanToRecoverMs, downMs, heldMs, unknownMs }: UptimeOf): string[] {
  return [
    printable(name),
    percent === null ? '-' : `${percent.toFixed(3)} %`,
    String(outages),
    outages === 0 ? '-' : formatDuration(longestMs),
    meanToRecoverMs === null ? '-' : formatDuration(meanToRecoverMs),
    ...[downMs, heldMs, unknownMs].map((ms) => (ms === 0 ? '-' : formatDuration(ms))),
  ];
}
