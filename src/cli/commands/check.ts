// The command `check`.
import type { Command } from 'commander';
import type { CheckedOne } from '../../control/orders/check.ts';
import { printable } from '../../core/text/printable.ts';
import type { Cli } from '../context.ts';
import { exitCodeHelp, exitCodes } from '../exit-codes.ts';
import { placeOrder, refuse } from '../place-order.ts';
import { formatDuration } from '../terminal/duration.ts';
import { jsonText } from '../terminal/json-output.ts';
import type { Style } from '../terminal/output.ts';
import { renderTable } from '../terminal/table.ts';
import { nameArgument } from './name-argument.ts';

/** Adds `check [NAME] [--json]`, which looks now at what the checks look at. */
export function addCheck(program: Command, cli: Cli): void {
  program
    .command('check')
    .description('run the checks of the configuration now, and show what each finds; nothing is restarted')
    .argument('[name]', 'NAME of [check.NAME]; without it, all of them', nameArgument)
    .option('--json', 'as JSON, for programs')
    .addHelpText('after', HELP)
    .action((name: string | undefined, { json }: { json?: true }) => check(cli, name, json ?? false));
}

const HELP = `
What they find changes no state and raises no alarm.

Examples:
  monitor_service check
  monitor_service check shop --json

${exitCodeHelp([0, 1, 2, 64, 66, 69, 75, 76, 77, 78, 130], { 0: 'all are ok', 1: 'a check fails', 2: 'none fails, and one is unknown', 66: 'there is no check of that name' })}`;

async function check(cli: Cli, name: string | undefined, json: boolean): Promise<void> {
  const reply = await placeOrder(cli, 'looking from here', (orders) => orders.check(name));
  if (reply.kind === 'refused') return refuse(cli, reply);
  const { checks } = reply;
  const has = (result: CheckedOne['result']): boolean => checks.some((one) => one.result === result);
  if (has('failing')) cli.exitCode = exitCodes.failed;
  else if (has('unknown')) cli.exitCode = exitCodes.notKnown;
  if (json) cli.out.write(jsonText({ checks }));
  else if (checks.length === 0) cli.say('no check is configured: a check is a section [check.NAME]');
  else for (const line of table(cli, checks)) cli.out.write(`${line}\n`);
}

function table(cli: Cli, checks: readonly CheckedOne[]): string[] {
  const rows = checks.map(({ name, result, isWarning, target, reason, durationMs, runbook }) => {
    const found = result === 'failing' && isWarning ? 'warning' : result;
    const what = [target, reason].filter((text) => text !== null).join(': ');
    const advice = result === 'ok' || runbook === null ? '' : `; see ${runbook}`;
    return [
      { text: printable(name) },
      { text: found, style: COLOURS[found] },
      { text: formatDuration(durationMs) },
      { text: printable(`${what}${advice}`) },
    ];
  });
  return renderTable(['CHECK', 'RESULT', 'TIME', 'FOUND'], rows, {
    width: cli.out.terminal?.columns,
    colour: cli.out.colour,
  });
}

const COLOURS = { ok: 'green', failing: 'red', warning: 'yellow', unknown: 'yellow' } as const satisfies Record<string, Style>;
