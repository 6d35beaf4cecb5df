// The command `pin`.
import type { Command } from 'commander';
import type { PinOffer } from '../../control/orders/pins.ts';
import { counted } from '../../core/text/counted.ts';
import { printable, quoted } from '../../core/text/printable.ts';
import type { Cli } from '../context.ts';
import { exitCodeHelp, exitCodes } from '../exit-codes.ts';
import { placeOrder, refuse } from '../place-order.ts';
import { jsonText } from '../terminal/json-output.ts';
import { nameArgument } from './name-argument.ts';
import { scopeOf } from './scope.ts';

interface PinOptions {
  readonly all?: true;
  readonly yes?: true;
  readonly json?: true;
}

/** Adds `pin NAME|--all [--yes] [--json]`, which pins programs as they run. */
export function addPin(program: Command, cli: Cli): void {
  program
    .command('pin')
    .description('confirm that a program may be started again as it runs now; only for root')
    .argument('[name]', 'the process', nameArgument)
    .option('--all', 'every program that would not be started again without a pin')
    .option('--yes', 'do not ask')
    .option('--json', 'as JSON, for programs; needs --yes')
    .addHelpText('after', HELP)
    .action((name: string | undefined, options: PinOptions, command: Command) =>
      pin(cli, command, scopeOf(command, name, options.all), options),
    );
}

const HELP = `
It shows what would be started: command line, user, directory, names of the
environment's variables, and the files that are executed with their SHA-256.
Then it asks. A program that is down is pinned as it was recorded. From then on
exactly that is started, whatever runs or is recorded later. A changed file at
the same path is started only as long as file and folders are root's alone.
It also closes the program's circuit breaker.

Examples:
  monitor_service pin app-backend
  monitor_service pin --all --yes

${exitCodeHelp([0, 1, 64, 66, 69, 75, 76, 77, 78, 130], {
  1: 'nothing was pinned, or one of several could not be',
  75: 'not now: the program changed while it was examined, or another daemon is in the way; try again',
})}`;

async function pin(cli: Cli, command: Command, name: string | undefined, { yes, json }: PinOptions): Promise<void> {
  const { ask } = cli.io;
  const found = await placeOrder(cli, 'reading store and state', (orders) => orders.pins(name));
  if (found.kind === 'refused') return refuse(cli, found);
  const { offers, refusals } = found;
  if (!json) for (const offer of offers) for (const line of describeOffer(offer)) cli.say(line);
  for (const { name: other, reason } of refusals) cli.complain(`${other} cannot be pinned: ${reason}`);
  if (refusals.length > 0) cli.exitCode = exitCodes.failed;
  if (offers.length === 0) {
    if (json) cli.out.write(jsonText({ pinned: [], refused: refusals }));
    else if (refusals.length === 0) cli.say('no program needs a pin');
    return;
  }
  if (!yes && (ask === undefined || json)) command.error('expected --yes, or a terminal to ask on');
  const question = offers.length === 1 ? 'Pin this?' : `Pin these ${offers.length}?`;
  if (!yes && (await ask?.(`${question} [y/N] `)) !== true) {
    cli.say('nothing was pinned');
    cli.exitCode = exitCodes.failed;
    return;
  }
  const pinned: PinOffer[] = [];
  const closed: string[] = [];
  for (const offer of offers) {
    const reply = await placeOrder(cli, 'writing to the state', (orders) => orders.pin(offer.name, offer.digest));
    if (reply.kind === 'refused') refuse(cli, reply);
    else {
      pinned.push(offer);
      closed.push(...(reply.closed ?? []));
    }
  }
  if (json) {
    cli.out.write(jsonText({ pinned, refused: refusals }));
    return;
  }
  for (const offer of pinned) cli.say(`pinned: ${offer.name}`);
  for (const name of closed) cli.say(`circuit breaker closed: ${name}`);
}

function describeOffer({ name, running, concern, launches }: PinOffer): string[] {
  const lines = [
    `${name}: ${running ? 'as it runs now' : 'as it was recorded'}${launches.length > 1 ? `, ${counted(launches.length, 'copy', 'copies')}` : ''}`,
  ];
  if (concern !== null) lines.push(`  why:         ${concern}`);
  for (const { argv, executable, cwd, uid, gid, groups, variables, files } of launches) {
    const others = groups.length === 0 ? '' : `, groups ${groups.join(' ')}`;
    lines.push(
      `  command:     ${argv.map(word).join(' ')}`,
      `  user:        ${uid}, group ${gid}${others}`,
      `  directory:   ${word(cwd)}`,
      `  environment: ${variables.length === 0 ? '-' : variables.join(' ')}`,
      ...(files.some(({ path }) => path === executable) ? [] : [`  executable:  ${word(executable)}`]),
      ...files.map(({ path, sha256 }) => `  executes:    ${word(path)} (SHA-256 ${sha256})`),
    );
  }
  return lines.map(printable);
}

/** An argument as a person reads it: quoted if a shell would not take it for one word. */
function word(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : quoted(argument);
}
