// The command `history`.
import { setTimeout as delay } from 'node:timers/promises';
import { type Command, InvalidArgumentError } from 'commander';
import type { OfflineOrders } from '../../app/backends.ts';
import type { HistoryFilter, HistoryRecord } from '../../control/orders/history.ts';
import type { Refusal } from '../../control/reply.ts';
import { nameWords } from '../../core/text/printable.ts';
import { askDaemon } from '../ask-daemon.ts';
import type { Cli } from '../context.ts';
import { exitCodeHelp } from '../exit-codes.ts';
import { eventWords } from '../history/event-words.ts';
import { placeOrder, refuse } from '../place-order.ts';
import { jsonText } from '../terminal/json-output.ts';
import { localTime } from '../terminal/local-time.ts';
import { parseWhen } from '../terminal/when.ts';
import { nameArgument } from './name-argument.ts';

interface HistoryOptions {
  readonly since?: Date;
  readonly until?: Date;
  readonly type?: string;
  readonly limit: number;
  readonly follow?: true;
  readonly json?: true;
}

/** Adds `history [NAME] [--since TIME] [--until TIME] [--type TYPE] [--limit N] [--follow] [--json]`, which shows what happened. */
export function addHistory(program: Command, cli: Cli): void {
  program
    .command('history')
    .description('show what happened: alarms, recoveries, orders, and exits of watched processes')
    .argument('[name]', 'only of this process', nameArgument)
    .option('--since <time>', 'only after 2h (ago), 2026-11-26 or "2026-11-26 22:08"', whenArgument)
    .option('--until <time>', 'only before that time', whenArgument)
    .option('--type <type>', 'only events of this type, such as attempt_failed')
    .option('--limit <n>', 'the newest so many, up to 30000', limitArgument, 100)
    .option('--follow', 'go on showing what happens, until Ctrl-C; needs the daemon')
    .option('--json', 'as JSON, for programs; with --follow one line an event')
    .addHelpText('after', HELP)
    .action((name: string | undefined, options: HistoryOptions) => history(cli, name, options));
}

const HELP = `
Oldest first. Times are local, with their offset from UTC.

Examples:
  monitor_service history --since 2h
  monitor_service history nginx --type recovery_failed
  monitor_service history --follow --json

${exitCodeHelp([0, 64, 66, 69, 75, 76, 77, 78, 130])}`;

function whenArgument(text: string): Date {
  const when = parseWhen(text, new Date());
  if (when === undefined)
    throw new InvalidArgumentError('Expected 90s, 30m, 2h or 1d (ago), 2026-11-26 or "2026-11-26 22:08".');
  return when;
}

function limitArgument(text: string): number {
  const limit = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > MOST) throw new InvalidArgumentError(`Expected a whole number from 1 to ${MOST}.`);
  return limit;
}

const MOST = 30_000;
/** The control socket gives so many at once. */
const PAGE = 1000;
const FOLLOW_MS = 1000;

async function history(
  cli: Cli,
  name: string | undefined,
  { since, until, type, limit, follow, json }: HistoryOptions,
): Promise<void> {
  const filter = { name, type, since: since?.toISOString(), until: until?.toISOString() };
  const found = await placeOrder(cli, 'reading the history', (orders) => newest(orders, filter, limit));
  if ('kind' in found) return refuse(cli, found);
  if (json && !follow) {
    cli.out.write(jsonText({ events: found }));
    return;
  }
  if (found.length === limit && limit < MOST) cli.complain(`only the newest ${limit} are shown; --limit shows more`);
  show(cli, found, json ?? false);
  let last = found.findLast(({ id }) => id !== null)?.id ?? 0;
  while (follow && cli.out.fault === undefined) {
    await delay(FOLLOW_MS);
    const reply = await askDaemon(cli, (orders) => orders.history({ ...filter, after: last, limit: PAGE }));
    if (reply.kind === 'refused') return refuse(cli, reply);
    show(cli, reply.events, json ?? false);
    last = reply.events.at(-1)?.id ?? last;
  }
}

/** The newest events, page by page. */
async function newest(
  orders: Pick<OfflineOrders, 'history'>,
  filter: HistoryFilter,
  limit: number,
): Promise<readonly HistoryRecord[] | Refusal> {
  const pages: (readonly HistoryRecord[])[] = [];
  let before: number | undefined;
  for (let left = limit; left > 0; left -= PAGE) {
    const wanted = Math.min(left, PAGE);
    const reply = await orders.history({ ...filter, before, limit: wanted });
    if (reply.kind === 'refused') return reply;
    pages.unshift(reply.events);
    before = reply.events.find(({ id }) => id !== null)?.id ?? undefined;
    if (reply.events.length < wanted || before === undefined) break;
  }
  return pages.flat();
}

function show(cli: Cli, events: readonly HistoryRecord[], json: boolean): void {
  for (const event of events) {
    if (json) cli.out.write(jsonText(event, 'line'));
    else {
      cli.say(`${localTime(event.at)}  ${event.name === '' ? '' : `${nameWords(event.name)}: `}${eventWords(event)}`);
      if (event.type === 'command_output') for (const line of event.output) cli.say(`${' '.repeat(27)}| ${line}`);
    }
  }
}
