import type { Command } from 'commander';
import type { CheckReport, DatabaseReport, LeftAlone } from '../../app/backends.ts';
import { foundWords, problemLine, unusableWords } from '../../core/errors.ts';
import { counted, processWords } from '../../core/text/counted.ts';
import { escapeInvisible, printable } from '../../core/text/printable.ts';
import type { Cli } from '../context.ts';
import { type ExitCode, exitCodeHelp, exitCodes } from '../exit-codes.ts';
import { jsonText } from '../terminal/json-output.ts';
import { paint } from '../terminal/output.ts';

/** Adds `check-config [--strict] [--database] [--json]`, which checks the configuration. */
export function addCheckConfig(program: Command, cli: Cli): void {
  program
    .command('check-config')
    .description('check the configuration, without starting anything')
    .option('--strict', 'end with 78 for warnings too')
    .option(
      '--database',
      'ask the database too: server, tables, privileges, sections without a row, names that are not restarted',
    )
    .option('--json', 'as JSON, for programs')
    .addHelpText('after', HELP)
    .action((options: Options) => checkConfig(cli, options));
}

interface Options {
  readonly strict?: boolean;
  readonly database?: boolean;
  readonly json?: boolean;
}

const HELP = `
Each problem is a line on stderr: FILE:LINE: [section] key: problem; a warning
ends in (warning). An error inside a [process.NAME] switches off that process
only: the daemon starts without it. With an error anywhere else the daemon does
not start. A reload is refused if there is any error.
Only the database knows whether a name in depends_on that has no section is a
name at all: without --database it is a warning. --database changes nothing
there: an SQLite file that is missing is reported, and not created.

Examples:
  monitor_service check-config --strict --config ./config.ini
  monitor_service check-config --database

${exitCodeHelp([0, 64, 69, 77, 78, 130], {
  0: 'no errors; with --strict no warnings either',
  69: '--database: the alarm store does not answer, or is not there',
  77: '--database: the alarm store refuses the login',
  78: 'there are errors; with --strict: or warnings',
  130: 'Ctrl-C ended the command',
})}`;

async function checkConfig(cli: Cli, { strict = false, database = false, json = false }: Options): Promise<void> {
  const backends = await cli.backends();
  const report = await backends.checkConfig(cli.configFile(), { database });
  cli.exitCode = exitCodeOf(report, strict);
  if (json) cli.out.write(jsonText(report));
  else printReport(cli, report);
}

function exitCodeOf({ errors, warnings, database }: CheckReport, strict: boolean): ExitCode {
  if (errors > 0 || (strict && warnings > 0)) return exitCodes.config;
  if (database?.kind !== 'failed') return exitCodes.ok;
  if (database.fault === 'config') return exitCodes.config;
  return database.fault === 'denied' ? exitCodes.permission : exitCodes.unavailable;
}

function printReport(cli: Cli, report: CheckReport): void {
  const { file, problems, watchExit, unnamed = null, database } = report;
  for (const problem of problems) {
    const line = printable(problemLine(file, problem));
    cli.err.write(`${paint(problem.severity === 'warning' ? 'yellow' : 'red', line, cli.err.colour)}\n`);
  }
  if (watchExit !== null) cli.say(`watch_exit: ${watchExit}`);
  if (unnamed !== null) cli.say(unnamed);
  if (database !== null) printDatabase(cli, database);
  // Last, so that nothing that follows can contradict it.
  printVerdict(cli, report);
}

function printVerdict(cli: Cli, { file, errors, warnings, usable, processNames, refused, database }: CheckReport): void {
  if (!usable) {
    cli.complain(unusableWords(file, { errors, warnings }));
    return;
  }
  const found = foundWords({ errors, warnings });
  const processes = processWords(processNames.length, refused.length);
  // A user who reads only the last line must not mistake "not known" for "in order".
  const unknown = database?.kind === 'failed' ? '; the database could not be checked' : '';
  const isWell = errors === 0 && warnings === 0 && unknown === '';
  cli.say(isWell ? `${file} is in order: ${processes}` : `${file}: ${found}${unknown}; ${processes}`);
}

function printDatabase(cli: Cli, database: DatabaseReport): void {
  if (database.kind === 'failed') {
    // It is among the problems.
    if (database.fault === 'config') return;
    // Most faults name their server.
    cli.complain(/^(?:mysql|sqlite) /.test(database.reason) ? database.reason : `${database.description}: ${database.reason}`);
    return;
  }
  const { report, leftAlone } = database;
  cli.say(
    `${database.description} answers: ${report.server}, ${counted(report.processes, 'process', 'processes')}, ${report.alarms} in alarm`,
  );
  cli.say(`notes hold ${report.notes}`);
  if (leftAlone !== undefined) printLeftAlone(cli, leftAlone);
}

function printLeftAlone(cli: Cli, { processes, unseen }: LeftAlone): void {
  for (const { name, reason } of processes.slice(0, MOST_SHOWN))
    cli.say(`${escapeInvisible(name)} is not restarted: ${reason}`);
  const more = processes.length - MOST_SHOWN;
  if (more > 0) cli.say(`and ${counted(more, 'other process', 'other processes')} (all with --json)`);
  if (unseen > 0) cli.say(`${counted(unseen, 'more name was', 'more names were')} not examined`);
  if (processes.length > 0) cli.say('only_configured = true in [monitor] restarts only processes that have a section');
}

const MOST_SHOWN = 100;
