// The command `why`.
import { type Command, InvalidArgumentError } from 'commander';
import type { Cli } from '../context.ts';
import { exitCodeHelp } from '../exit-codes.ts';
import { storyLines } from '../history/story-lines.ts';
import { placeOrder, refuse } from '../place-order.ts';
import { jsonText } from '../terminal/json-output.ts';
import { nameArgument } from './name-argument.ts';

/** Adds `why NAME [--incident ID] [--json]`, which tells the story of an incident. */
export function addWhy(program: Command, cli: Cli): void {
  program
    .command('why')
    .description('tell the story of the last trouble of a process: what was seen, tried and left out, and what to do next')
    .argument('<name>', 'the process', nameArgument)
    .option('--incident <id>', 'that incident, instead of the last one', incidentArgument)
    .option('--json', 'as JSON, for programs')
    .addHelpText('after', HELP)
    .action((name: string, { incident, json }: { incident?: number; json?: true }) => why(cli, name, incident, json ?? false));
}

const HELP = `
At most 60 lines; of a long story its beginning and its end. Times are local.

Examples:
  monitor_service why nginx
  monitor_service why nginx --incident 12

${exitCodeHelp([0, 64, 66, 69, 75, 76, 77, 78, 130])}`;

function incidentArgument(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('Expected the number of an incident.');
  return Number(text);
}

async function why(cli: Cli, name: string, incident: number | undefined, json: boolean): Promise<void> {
  const reply = await placeOrder(cli, 'reading the history', (orders) => orders.why(name, incident));
  if (reply.kind === 'refused') return refuse(cli, reply);
  const { kind: _, ...story } = reply;
  if (json) cli.out.write(jsonText(story));
  else for (const line of storyLines(name, story, new Date())) cli.say(line);
}
