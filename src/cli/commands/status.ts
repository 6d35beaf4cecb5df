import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import type { ProcessStatus } from '../../control/orders.ts';
import { printable } from '../../core/printable.ts';
import type { Cli } from '../cli-context.ts';
import { exitCodeHelp, exitCodes } from '../exit-codes.ts';
import { describeFailure } from '../failure.ts';
import { jsonText } from '../json-output.ts';
import { placeOrder, refuse } from '../place-order.ts';
import { renderProcess } from '../process-view.ts';
import { renderStatus } from '../status-view.ts';
import { nameArgument } from './name-argument.ts';

/** `status [NAME] [--json] [--watch]`. */
export function addStatus(program: Command, cli: Cli): void {
  program
    .command('status')
    .description('show what is in alarm, recovering, held, and the circuit breakers; of NAME all that is known')
    .argument('[name]', 'one process', nameArgument)
    .option('--json', 'as JSON, for programs')
    .option('--watch', 'again every 2 seconds, until Ctrl-C')
    .addHelpText('after', HELP)
    .action(async (name: string | undefined, { json, watch }: { json?: true; watch?: true }) => {
      if (watch) await watchStatus(cli, name, json ?? false);
      else cli.out.write(await textOf(cli, name, json ? 'indented' : undefined));
    });
}

const HELP = `
With the daemon down it reads store and state itself.

Examples:
  monitor_service status --watch
  monitor_service status app-backend
  monitor_service status --json | jq -r '.processes[] | select(.inAlarm) | .name'

${exitCodeHelp([0, 3, 64, 66, 69, 77, 78], { 3: 'no daemon runs; what is shown was read from store and state' })}`;

const WATCH_MS = 2000;

function textOf(cli: Cli, name: string | undefined, json: 'indented' | 'line' | undefined): Promise<string> {
  return name === undefined ? statusText(cli, json) : processText(cli, name, json);
}

/** One process: what is known of it, and what runs of it as of now. Empty where there is none of that name, which is told. */
async function processText(cli: Cli, name: string, json: 'indented' | 'line' | undefined): Promise<string> {
  const found = await placeOrder(cli, 'reading store and state', async (desk) => {
    const status = await desk.status();
    return { status, preview: await desk.preview(name) };
  });
  const { status, preview } = found;
  if (preview.kind === 'refused') {
    refuse(cli, preview);
    return '';
  }
  cli.exitCode = status.pid === 0 ? exitCodes.notRunning : exitCodes.ok;
  const known = status.processes.find((process) => process.name === name) ?? restingProcess(name, preview.strategy);
  const { kind: _, strategy: __, target, ...restart } = preview;
  const process = { ...known, target: known.target ?? (target === '' ? null : target) };
  if (json !== undefined) return jsonText({ ...process, ...restart }, json);
  const lines = renderProcess(process, preview, new Date(), { width: cli.out.terminal?.columns, colour: cli.out.colour });
  return `${lines.join('\n')}\n`;
}

/** Of a process that the status does not list there is nothing to tell. */
function restingProcess(name: string, strategy: string): ProcessStatus {
  return {
    name,
    processId: null,
    target: null,
    strategy,
    inAlarm: false,
    rows: [],
    state: 'quiet',
    reason: null,
    waitingFor: [],
    breaker: { state: 'closed', failures: 0, remainingMs: 0 },
    alarmKept: false,
    watched: null,
    lastRecovery: null,
  };
}

async function statusText(cli: Cli, json: 'indented' | 'line' | undefined): Promise<string> {
  const status = await placeOrder(cli, 'reading store and state', (desk) => desk.status());
  cli.exitCode = status.pid === 0 ? exitCodes.notRunning : exitCodes.ok;
  if (json !== undefined) return jsonText(status, json);
  const lines = renderStatus(status, new Date(), { width: cli.out.terminal?.columns, colour: cli.out.colour });
  return `${lines.join('\n')}\n`;
}

/** Goes on through failures: a daemon that is just being restarted is what one watches for. */
async function watchStatus(cli: Cli, name: string | undefined, json: boolean): Promise<void> {
  while (cli.out.fault === undefined) {
    try {
      const text = await textOf(cli, name, json ? 'line' : undefined);
      cli.out.write(json ? text : framed(cli, text));
    } catch (error) {
      for (const line of describeFailure(error).lines) cli.err.write(`${printable(line)}\n`);
    }
    await delay(WATCH_MS);
  }
}

/** On a terminal over the last one and no longer than the screen; elsewhere with a blank line after it. */
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
