import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import { printable } from '../../core/text/printable.ts';
import type { Cli } from '../context.ts';
import { exitCodeHelp } from '../exit-codes.ts';
import { describeFailure } from '../failure.ts';
import { placeOrder, refuse } from '../place-order.ts';
import { renderDetails } from '../status/details.ts';
import { judge, shownCode, subjectOf } from '../status/judge.ts';
import { renderStatus } from '../status/overview.ts';
import { stateHelp } from '../status/state-help.ts';
import { jsonText } from '../terminal/json-output.ts';
import type { TableOptions } from '../terminal/table.ts';
import { nameArgument } from './name-argument.ts';

/** Adds `status [NAME] [--json] [--check] [--watch]`, which shows daemon, alarms and processes. */
export function addStatus(program: Command, cli: Cli): void {
  const command = program
    .command('status')
    .description('show alarms, recoveries, holds and circuit breakers; with NAME all that is known about a process')
    .argument('[name]', 'one process', nameArgument)
    .option('--json', 'as JSON, for programs')
    .option('--check', 'print only what is not well, a line each, and end with a code that says so')
    .option('--watch', 'show it again every 2 seconds, until Ctrl-C')
    .addHelpText('after', HELP)
    .action(async (name: string | undefined, { json, check, watch }: { json?: true; check?: true; watch?: true }) => {
      if (check && watch) command.error("error: option '--check' cannot be used with '--watch'");
      const form = { check: check ?? false, json: json && (watch ? 'line' : 'indented') } as const;
      if (watch) await watchStatus(cli, name, form);
      else cli.out.write(await textOf(cli, name, form));
    });
}

const HELP = `
${stateHelp()}

ALARM is yes, no, unknown (the alarm store does not answer), or kept (the store
did not take the alarm, and the daemon stores it).
--check: a process is well if it is not in alarm, its circuit breaker is not
open, and its state is not refused, failed, down or unknown. What was stopped
on purpose, or is on hold, is not down.
The table is for people; scripts use --check or --json. Times are local, with
their offset from UTC. If no daemon runs, the command reads store and state.

Examples:
  monitor_service status --watch
  monitor_service status app-backend
  report=$(monitor_service status --check 2>&1) ||
    echo "$report" | mail -s 'monitor_service: not well' root
  monitor_service status --json | jq -r '
    (select(.store.state != "ok") | "alarms unknown"),
    (.processes[] | select(.inAlarm != false) | .name)'

${exitCodeHelp([0, 1, 3, 64, 66, 69, 75, 76, 77, 78, 130], {
  0: 'done; --check: all is well',
  1: '--check: an alarm, an open circuit breaker, or a process that is down, refused or failed',
  3: 'no daemon runs; what is shown was read from store and state',
  69: 'alarms are unknown (--check: or whether something runs is), or the daemon does not answer',
})}`;

const WATCH_MS = 2000;

/** The form of the output. `check`: only what is not well; it sets the exit code with `json` too. */
interface Form {
  readonly check: boolean;
  readonly json: 'indented' | 'line' | undefined;
}

/** The text to print; sets the exit code. Empty if there is nothing to say, or no process of that name, which is reported. */
function textOf(cli: Cli, name: string | undefined, form: Form): Promise<string> {
  return name === undefined ? overview(cli, form) : details(cli, name, form);
}

async function overview(cli: Cli, { check, json }: Form): Promise<string> {
  const status = await placeOrder(cli, 'reading store and state', (orders) => orders.status());
  const now = new Date();
  const verdict = judge(status, now);
  cli.exitCode = check ? verdict.exitCode : shownCode(status);
  if (json !== undefined) return jsonText(status, json);
  return joined(check ? verdict.lines : renderStatus(status, now, tableOptions(cli)));
}

/** Everything that is known about one process, and which of its processes run now. */
async function details(cli: Cli, name: string, { check, json }: Form): Promise<string> {
  const reply = await placeOrder(cli, 'reading store and state', (orders) => orders.describe(name));
  if (reply.kind === 'refused') {
    refuse(cli, reply);
    return '';
  }
  const { kind: _, ...found } = reply;
  const now = new Date();
  const verdict = judge(subjectOf(found), now);
  cli.exitCode = check ? verdict.exitCode : shownCode(subjectOf(found));
  if (json !== undefined) return jsonText(found, json);
  return joined(check ? verdict.lines : renderDetails(found, now, tableOptions(cli)));
}

function joined(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}

function tableOptions({ out }: Cli): TableOptions {
  return { width: out.terminal?.columns, colour: out.colour };
}

/** Shows the status again and again. It continues after failures: a user may be watching a daemon that is being restarted. */
async function watchStatus(cli: Cli, name: string | undefined, form: Form): Promise<void> {
  while (cli.out.fault === undefined) {
    try {
      const text = await textOf(cli, name, form);
      cli.out.write(form.json === undefined ? framed(cli, text) : text);
    } catch (error) {
      for (const line of describeFailure(error).lines) cli.err.write(`${printable(line)}\n`);
    }
    await delay(WATCH_MS);
  }
}

/** One frame: on a terminal it replaces the last one and is no longer than the screen; elsewhere a blank line follows it. */
function framed(cli: Cli, text: string): string {
  const { terminal } = cli.out;
  if (terminal === undefined) return `${text}\n`;
  const lines = text.trimEnd().split('\n');
  const room = Math.max(1, terminal.rows - 2);
  const shown = lines.length <= room ? lines : [...lines.slice(0, room - 1), `… and ${lines.length - room + 1} more`];
  return `${CLEAR_SCREEN}${shown.join('\n')}\n`;
}

/** Cursor home, erase to the end (ECMA-48 CUP, ED). */
const CLEAR_SCREEN = '\u001b[H\u001b[J';
