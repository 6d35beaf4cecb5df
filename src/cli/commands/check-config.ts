import type { Command } from 'commander';
import type { CheckReport, DatabaseReport, LeftAlone } from '../../app/backends.ts';
import { counted } from '../../core/counted.ts';
import { formatProblem } from '../../core/errors.ts';
import { escapeUnseen, printable, quoted } from '../../core/printable.ts';
import type { Cli } from '../cli-context.ts';
import { type ExitCode, exitCodeHelp, exitCodes } from '../exit-codes.ts';
import { jsonText } from '../json-output.ts';

/** `check-config [--database] [--json]`. */
export function addCheckConfig(program: Command, cli: Cli): void {
  program
    .command('check-config')
    .description('judge the configuration, without starting anything')
    .option('--database', 'ask the database too: server, schema, privileges, sections that match no row, names left alone')
    .option('--json', 'as JSON, for programs')
    .addHelpText('after', HELP)
    .action((options: { database?: true; json?: true }) => checkConfig(cli, options));
}

const HELP = `
Every problem is a line on stderr: FILE:LINE: [section] key: problem. Warnings alone are no failure.

Examples:
  monitor_service check-config --database --config ./config.ini

${exitCodeHelp([0, 64, 69, 77, 78])}`;

async function checkConfig(
  cli: Cli,
  { database = false, json = false }: { database?: boolean; json?: boolean },
): Promise<void> {
  const backends = await cli.backends();
  const report = await backends.checkConfig(cli.configFile(), { database });
  cli.exitCode = exitCodeOf(report);
  if (json) cli.out.write(jsonText(report));
  else tell(cli, report);
}

function exitCodeOf({ problems, database }: CheckReport): ExitCode {
  if (problems.some(({ severity }) => severity === 'error')) return exitCodes.config;
  if (database?.kind !== 'failed') return exitCodes.ok;
  if (database.fault === 'config') return exitCodes.config;
  return database.fault === 'denied' ? exitCodes.permission : exitCodes.unavailable;
}

function tell(cli: Cli, { file, problems, processNames, watchExit, unnamed = null, database }: CheckReport): void {
  for (const problem of problems) {
    const word = problem.severity === 'warning' ? ' (warning)' : '';
    cli.err.write(`${printable(formatProblem(file, problem))}${word}\n`);
  }
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  if (errors > 0) cli.complain(`${file} cannot be used: ${counted(errors, 'error', 'errors')}`);
  else cli.say(`${file} is in order: ${counted(processNames.length, 'configured process', 'configured processes')}`);
  if (watchExit !== null) cli.say(`watch_exit: ${watchExit}`);
  if (unnamed !== null) cli.say(unnamed);
  if (database !== null) tellDatabase(cli, database);
}

function tellDatabase(cli: Cli, database: DatabaseReport): void {
  if (database.kind === 'failed') {
    // A fault names its server.
    cli.complain(/^(?:mysql|sqlite) /.test(database.reason) ? database.reason : `${database.description}: ${database.reason}`);
    return;
  }
  const { report, unmatched, leftAlone, unseen = [], near = [] } = database;
  cli.say(
    `${database.description} answers: ${report.server}, ${counted(report.processes, 'process', 'processes')}, ${report.alarms} in alarm`,
  );
  cli.say(`notes hold ${report.notes}`);
  if (report.canClear === false) cli.say('alarms cannot be cleared: no right to UPDATE alarma and notes');
  if (report.canClear === null) cli.say('whether alarms can be cleared cannot be told');
  for (const remark of report.remarks) cli.say(`remark: ${remark}`);
  for (const name of unmatched) cli.say(`[process.${escapeUnseen(name)}] matches no row`);
  for (const { name, holds } of unseen.slice(0, MOST_TOLD))
    cli.say(
      `${quoted(name)} holds ${holds}, which is not seen: it is another name than it looks like, and cannot stand for %s`,
    );
  for (const { name, section } of near.slice(0, MOST_TOLD))
    cli.say(
      `${quoted(name)} differs from [process.${escapeUnseen(section)}] by blanks, letter case or how accents are written: that section does not hold for it`,
    );
  if (leftAlone !== undefined) tellLeftAlone(cli, leftAlone);
}

function tellLeftAlone(cli: Cli, { processes, unseen }: LeftAlone): void {
  for (const { name, reason } of processes.slice(0, MOST_TOLD)) cli.say(`${escapeUnseen(name)} is left alone: ${reason}`);
  const more = processes.length - MOST_TOLD;
  if (more > 0) cli.say(`and ${counted(more, 'other process', 'other processes')} (all with --json)`);
  if (unseen > 0) cli.say(`${counted(unseen, 'more name was', 'more names were')} not looked at`);
  if (processes.length > 0)
    cli.say('what is not to be healed on this machine is left to others with only_configured = true in [monitor]');
}

const MOST_TOLD = 100;
