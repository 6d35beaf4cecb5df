import type { Command } from 'commander';
import type { PreviewedCommand } from '../../core/outcomes.ts';
import type { Cli } from '../context.ts';
import { exitCodeHelp, exitCodes } from '../exit-codes.ts';
import { placeOrder, refuse } from '../place-order.ts';
import { refusalWords } from '../status/words.ts';
import { jsonText } from '../terminal/json-output.ts';
import { nameArgument } from './name-argument.ts';

/** Adds `match NAME [--json]`, which shows a restart without doing it. */
export function addMatch(program: Command, cli: Cli): void {
  program
    .command('match')
    .description('show what a restart would run, stop and start, without doing it')
    .argument('<name>', 'the process', nameArgument)
    .option('--json', 'as JSON, for programs')
    .addHelpText('after', HELP)
    .action((name: string, { json }: { json?: true }) => match(cli, name, json ?? false));
}

const HELP = `
Examples:
  monitor_service match app-backend

${exitCodeHelp([0, 1, 64, 66, 69, 75, 76, 77, 78, 130], { 1: 'a restart would be refused, or fail' })}`;

async function match(cli: Cli, name: string, json: boolean): Promise<void> {
  const reply = await placeOrder(cli, 'reading store and state', (orders) => orders.preview(name));
  if (reply.kind === 'refused') return refuse(cli, reply);
  const { kind: _, ...preview } = reply;
  if (preview.refusals.length > 0) cli.exitCode = exitCodes.failed;
  if (json) {
    cli.out.write(jsonText(preview));
    return;
  }
  cli.say(`${name}: strategy ${preview.strategy}${preview.target === '' ? '' : `, ${preview.target}`}`);
  for (const line of preview.refusals) cli.say(`  ${refusalWords(line, preview.failures)}`);
  for (const line of preview.warnings ?? []) cli.say(`  warning: ${line}`);
  const commands = preview.commands ?? [];
  const show = (does: string, command: PreviewedCommand): void => {
    cli.say(`  ${does} ${command.key}: ${command.line}`);
    // On a line below: on the same line they would look like part of the command.
    const notes = notesOn(command);
    if (notes !== '') cli.say(`                 ${notes}`);
  };
  const showAll = (does: string, key: string): void => {
    for (const command of commands) if (command.key === key) show(does, command);
  };
  showAll('would run:  ', 'pre_restart_command');
  for (const line of preview.stops) cli.say(`  would stop:  ${line}`);
  showAll('would run:  ', 'stop_command');
  for (const line of preview.starts) {
    const command = commands.find(({ key }) => line.startsWith(`${key}: `));
    if (command === undefined) cli.say(`  would start: ${line}`);
    else show('would start:', command);
  }
  showAll('would check:', 'health_check_command');
}

/** Notes on a command: `at most 60 s, as app, %s is nginx`. */
function notesOn({ key, name, limitMs, user }: PreviewedCommand): string {
  const limit = key === 'health_check_command' ? 'tried for' : 'at most';
  const notes = [
    limitMs === null ? undefined : `${limit} ${limitMs / 1000} s`,
    user === null ? undefined : `as ${user}`,
    name === null ? undefined : `%s is ${name}`,
  ];
  return notes.filter((note) => note !== undefined).join(', ');
}
