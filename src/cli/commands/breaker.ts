import type { Command } from 'commander';
import type { ProcessStatus } from '../../control/status.ts';
import { printable } from '../../core/text/printable.ts';
import type { Cli } from '../context.ts';
import { exitCodeHelp } from '../exit-codes.ts';
import { placeOrder, refuse } from '../place-order.ts';
import { breakerCell } from '../status/words.ts';
import { jsonText } from '../terminal/json-output.ts';
import { renderTable } from '../terminal/table.ts';
import { nameArgument } from './name-argument.ts';

/** Adds `breaker [NAME] [--reset] [--json]`, which shows or closes circuit breakers. */
export function addBreaker(program: Command, cli: Cli): void {
  program
    .command('breaker')
    .description('show the circuit breakers, or close them')
    .argument('[name]', 'one process; without it all of them', nameArgument)
    .option('--reset', 'close it, so that the next alarm is healed at once')
    .option('--json', 'as JSON, for programs')
    .addHelpText('after', HELP)
    .action((name: string | undefined, { reset, json }: { reset?: true; json?: true }) =>
      reset ? resetBreakers(cli, name, json ?? false) : showBreakers(cli, name, json ?? false),
    );
}

const HELP = `
Examples:
  monitor_service breaker
  monitor_service breaker nginx --reset

${exitCodeHelp([0, 64, 66, 69, 75, 76, 77, 78, 130])}`;

async function showBreakers(cli: Cli, name: string | undefined, json: boolean): Promise<void> {
  const { processes } = await placeOrder(cli, 'reading the state', (orders) => orders.status());
  const wanted: Shown[] = processes.filter((process) => (name === undefined ? !isAtRest(process) : process.name === name));
  if (name !== undefined && wanted.length === 0) {
    // The daemon stores nothing about a breaker at rest.
    const known = await placeOrder(cli, 'reading the state', (orders) => orders.preview(name));
    if (known.kind === 'refused') return refuse(cli, known);
    wanted.push({ name, target: null, breaker: { state: 'closed', failures: 0, remainingMs: 0 } });
  }
  if (json) {
    cli.out.write(jsonText(wanted.map((process) => ({ name: process.name, target: process.target, ...process.breaker }))));
    return;
  }
  if (wanted.length === 0) {
    cli.say('all circuit breakers are closed');
    return;
  }
  const rows = wanted.map((process) => [
    { text: printable(process.name) },
    breakerCell(process.breaker),
    { text: String(process.breaker.failures) },
  ]);
  const lines = renderTable(['PROCESS', 'BREAKER', 'FAILURES'], rows, {
    width: cli.out.terminal?.columns,
    colour: cli.out.colour,
  });
  cli.out.write(`${lines.join('\n')}\n`);
}

type Shown = Pick<ProcessStatus, 'name' | 'target' | 'breaker'>;

function isAtRest({ breaker }: Shown): boolean {
  return breaker.state === 'closed' && breaker.failures === 0;
}

async function resetBreakers(cli: Cli, name: string | undefined, json: boolean): Promise<void> {
  const reply = await placeOrder(cli, 'changing the state', (orders) => orders.resetBreakers(name));
  if (reply.kind === 'refused') return refuse(cli, reply);
  if (json) cli.out.write(jsonText({ reset: reply.reset }));
  else if (reply.reset.length === 0) cli.say(`${name === undefined ? '' : `${name}: `}nothing to reset: closed already`);
  else for (const closed of reply.reset) cli.say(`circuit breaker closed: ${closed}`);
}
