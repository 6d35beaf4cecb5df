import type { Command } from 'commander';
import type { Cli } from '../context.ts';
import { exitCodeHelp } from '../exit-codes.ts';
import { placeOrder, refuse } from '../place-order.ts';
import { jsonText } from '../terminal/json-output.ts';
import { nameArgument } from './name-argument.ts';
import { scopeOf } from './scope.ts';

/** Adds `unpin NAME|--all [--json]`, which removes pins. */
export function addUnpin(program: Command, cli: Cli): void {
  program
    .command('unpin')
    .description('remove a pin; only for root')
    .argument('[name]', 'the process', nameArgument)
    .option('--all', 'every pin there is')
    .option('--json', 'as JSON, for programs')
    .addHelpText(
      'after',
      `\nExamples:\n  monitor_service unpin app-backend\n\n${exitCodeHelp([0, 64, 66, 69, 75, 76, 77, 78, 130])}`,
    )
    .action((name: string | undefined, { all, json }: { all?: true; json?: true }, command: Command) =>
      unpin(cli, scopeOf(command, name, all), json ?? false),
    );
}

async function unpin(cli: Cli, name: string | undefined, json: boolean): Promise<void> {
  const reply = await placeOrder(cli, 'writing to the state', (orders) => orders.unpin(name));
  if (reply.kind === 'refused') return refuse(cli, reply);
  if (json) cli.out.write(jsonText({ unpinned: reply.unpinned }));
  else if (reply.unpinned.length === 0) cli.say(name === undefined ? 'nothing is pinned' : `${name} has no pin`);
  else for (const systemName of reply.unpinned) cli.say(`no longer pinned: ${systemName}`);
}
