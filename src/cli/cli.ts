import { Command, CommanderError } from 'commander';
import type { CliBackends } from '../app/backends.ts';
import { closest } from '../config/did-you-mean.ts';
import { errorMessage } from '../core/errors.ts';
import { printable } from '../core/text/printable.ts';
import { readArguments } from './arguments.ts';
import { commands } from './commands/index.ts';
import { nameArgument } from './commands/name-argument.ts';
import { type Cli, type CliIo, createCli } from './context.ts';
import { type ExitCode, exitCodeHelp, exitCodes, HELP_COLUMNS } from './exit-codes.ts';
import { describeFailure } from './failure.ts';

/**
 * Runs one command line (`argv` without node and script) to its end and returns its exit code; never throws. `loadBackends` is
 * called only if a command needs more than the control socket.
 */
export async function runCli(argv: readonly string[], io: CliIo, loadBackends: () => Promise<CliBackends>): Promise<ExitCode> {
  const cli = createCli(io, loadBackends);
  const exitCode = await runCommand(argv, cli);
  await Promise.all([cli.out.flush(), cli.err.flush()]);
  const { fault } = cli.out;
  if (fault === undefined) return exitCode;
  if (fault.code === 'EPIPE') return exitCodes.brokenPipe;
  cli.complain(`the output could not be written: ${errorMessage(fault)}`);
  return exitCodes.output;
}

async function runCommand(argv: readonly string[], cli: Cli): Promise<ExitCode> {
  const program = buildProgram(cli);
  try {
    const names = program.commands.map((command) => command.name());
    const read = readArguments(argv, [...names, 'help']);
    if (read.kind === 'unknown_command') {
      const near = closest(read.name, names);
      cli.complain(withHelp(`unknown command '${read.name}'${near === undefined ? '' : ` (did you mean ${near}?)`}`));
      return exitCodes.usage;
    }
    await program.parseAsync(read.argv, { from: 'user' });
    return cli.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    const { exitCode, lines } = describeFailure(error);
    for (const line of lines) cli.err.write(`${printable(line)}\n`);
    return exitCode;
  }
}

/** The commander program with every command; parsing throws a CommanderError after help, version and wrong usage. */
export function buildProgram(cli: Cli): Command {
  const program = new Command('monitor_service')
    .description('Restarts processes that are in alarm, proves them healthy, clears the alarm.')
    .version(`monitor_service ${cli.io.version}`, '--version', 'print the version')
    .option('--config <file>', 'the configuration (else $MONITOR_SERVICE_CONFIG, else /opt/monitor_service/config.ini)')
    .helpOption('-h, --help', 'print this help; COMMAND --help for one command')
    .helpCommand('help [command]', 'print the help of a command')
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => cli.out.write(text),
      writeErr: (text) => cli.err.write(text),
      getOutHasColors: () => cli.out.colour,
      getErrHasColors: () => cli.err.colour,
      getOutHelpWidth: () => cli.out.terminal?.columns ?? HELP_COLUMNS,
      getErrHelpWidth: () => cli.err.terminal?.columns ?? HELP_COLUMNS,
      outputError: (text) => cli.complain(withHelp(usageFault(text))),
    })
    .addHelpText(
      'after',
      () =>
        `\nWithout a command it runs the daemon. The options --status and --restart NAME of\nthe bash service still work.\n\n${exitCodeHelp(undefined, { 66: 'there is no process of that name, or it has no row in STATUS_PROCESS' })}`,
    );
  cli.configOption = () => program.opts<{ config?: string }>().config;
  for (const add of commands) add(program, cli);
  for (const command of program.commands) {
    const name = command.name();
    const takesName = command.registeredArguments.some(({ parseArg }) => parseArg === nameArgument);
    command.configureOutput({
      outputError: (text) => {
        const fault = usageFault(text);
        // `run` is the default: the user may not have typed it.
        cli.complain(withHelp(takesName ? withDashHint(fault, name) : fault, program.args[0] === name ? name : undefined));
      },
    });
  }
  return program;
}

/** The fault with a pointer to the help; `command`: the command whose usage was wrong. */
function withHelp(fault: string, command?: string): string {
  return `${fault.replace(/\.$/, '')}; see monitor_service ${command === undefined ? '' : `${command} `}--help`;
}

/** The complaint of commander, in one line. */
function usageFault(text: string): string {
  return text
    .replace(/^error: /, '')
    .replace(
      /^command-argument value '[\s\S]*' is invalid for argument '(\w+)(?:\|(\w+))?'\. It is (.*)\.$/m,
      (_, one, other, fault) => (other === undefined ? `the ${one} is ${fault}` : `the ${one} or ${other} is ${fault}`),
    )
    .trim()
    .replace(/\s*\n\s*/g, ' ');
}

/** Adds a hint at `--`: an unknown option may be a name that begins with a dash. */
function withDashHint(text: string, command: string): string {
  return /^unknown option (?!.*Did you mean)/.test(text)
    ? `${text} (of a name that begins with -: monitor_service ${command} -- NAME)`
    : text;
}
