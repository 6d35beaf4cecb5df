import type { Command } from 'commander';
import { heldName } from '../../core/hold-words.ts';
import type { Cli } from '../context.ts';
import { exitCodeHelp } from '../exit-codes.ts';
import { placeOrder, refuse } from '../place-order.ts';
import { nameArgument } from './name-argument.ts';
import { scopeOf } from './scope.ts';

/** Adds `release NAME|--all`, which ends holds. */
export function addRelease(program: Command, cli: Cli): void {
  program
    .command('release')
    .description('end a hold')
    .argument('[name]', 'the process', nameArgument)
    .option('--all', 'every hold there is')
    .addHelpText(
      'after',
      `\nExamples:\n  monitor_service release nginx\n\n${exitCodeHelp([0, 64, 66, 69, 75, 76, 77, 78, 130])}`,
    )
    .action((name: string | undefined, { all }: { all?: true }, command: Command) => release(cli, scopeOf(command, name, all)));
}

async function release(cli: Cli, name: string | undefined): Promise<void> {
  const reply = await placeOrder(cli, 'writing to the state', (orders) => orders.release(name));
  if (reply.kind === 'refused') return refuse(cli, reply);
  const { released, stillHeld } = reply;
  if (released.length === 0 && stillHeld === undefined)
    cli.say(name === undefined ? 'nothing is on hold' : `${name} is not on hold`);
  for (const each of released) cli.say(`released: ${heldName(each)}`);
  if (stillHeld !== undefined)
    cli.say(released.length === 0 ? `${name} has no hold of its own, and is ${stillHeld}` : `${name} is still ${stillHeld}`);
}
