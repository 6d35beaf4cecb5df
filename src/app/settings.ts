// Parses a whole configuration file.
import { checkCommands } from '../config/check-commands.ts';
import { checkDependencies } from '../config/check-dependencies.ts';
import { checkSharedNames } from '../config/check-shared-names.ts';
import type { ConfigDocument } from '../config/config-document.ts';
import { loadConfigFile } from '../config/config-file.ts';
import { parseMonitorSettings, parseRecoverySettings } from '../config/parse-config.ts';
import { parseHost } from '../config/parse-host.ts';
import { type ControlOptions, parseControl } from '../control/parse-control.ts';
import type { HostSettings, MonitorSettings, RecoverySettings } from '../core/config.ts';
import { ConfigError, type ConfigProblem, formatProblem } from '../core/errors.ts';
import { type ParsedCheck, parseChecks } from '../detectors/checks/parse-checks.ts';
import { parseRunningWatch, type RunningWatch } from '../detectors/exits/options.ts';
import type { HealthCheckParts } from '../health/health-check.ts';
import { parseHealthChecks } from '../health/index.ts';
import { type LoggingOptions, parseLogging } from '../logging/parse-logging.ts';
import { type HistoryLimits, parseHistory } from '../state/parse-history.ts';
import { type ParsedStore, parseDatabase } from '../stores/index.ts';
import type { RowScope } from '../stores/row-scope.ts';
import { type ParsedStrategy, parseStrategy } from '../strategies/index.ts';
import type { Plans, RecoveryPlan } from '../strategies/recovery-plan.ts';
import { refusedStrategy } from '../strategies/refused.ts';
import type { StrategyParts } from '../strategies/strategy.ts';
import { Twins } from '../strategies/twins.ts';
import { type EventStreamOptions, parseEvents } from '../stream/parse-events.ts';
import { USUAL_PATH } from '../system/spawn/minimal-environment.ts';

/** The parts that the plans of processes need. */
type PlanParts = StrategyParts & HealthCheckParts & Pick<RecoveryPlan, 'furtherChecks'>;

/** A configuration file that can be used: every section parsed, nothing opened. */
export interface Settings {
  /** The path it was read from. */
  readonly file: string;
  readonly document: ConfigDocument;
  readonly host: HostSettings;
  readonly monitor: MonitorSettings;
  readonly database: ParsedStore;
  readonly logging: LoggingOptions;
  readonly control: ControlOptions;
  readonly history: HistoryLimits;
  /** The checks that can be used, in the order of the files. */
  readonly checks: readonly ParsedCheck[];
  /** `[checks] concurrency`: looks at once; default 50, 1 to 1,000. */
  readonly checkConcurrency: number;
  /** undefined: the file has no `[events]`. */
  readonly events: EventStreamOptions | undefined;
  /** Names with their own section, in the order of the file. */
  readonly processNames: readonly string[];
  /**
   * The processes whose own sections have an error, and the members of a circle of `depends_on`: they are not restarted,
   * watched or waited for. Each with its first error, `FILE:LINE: [section] key: problem`.
   */
  readonly refusals: ReadonlyMap<string, string>;
  /** Those of `processNames` whose exit raises their alarm (`watch_exit`). */
  readonly watchedNames: readonly string[];
  /** Milliseconds after a start or reload within which a process with `ensure_running` must run. */
  readonly bootGracesMs: ReadonlyMap<string, number>;
  /** Creates the recovery plan of each process; processes without a section share the plan of `[process.default]`. */
  readonly createPlans: (parts: Omit<PlanParts, 'requirePin' | 'twins'>) => Plans;
  /** All problems of the file, in its order: errors of single processes, and warnings. */
  readonly problems: readonly ConfigProblem[];
}

/**
 * Reads and parses the whole `file`; throws a ConfigError with all problems if there is an error outside of the sections of
 * processes. Source: the bash service.
 */
export function readSettings(file: string): Settings {
  const settings = judgeSettings(file);
  if (!settings.document.usable) throw new ConfigError(file, settings.problems);
  return settings;
}

/**
 * The same for a check of the file: if it cannot be used (`document.usable`), a key with an error has its default. Throws a
 * ConfigError if the file cannot be read at all.
 */
export function judgeSettings(file: string): Settings {
  return parseSettings(file, loadConfigFile(file));
}

/** The same for a reload, which has a configuration to fall back on: throws a ConfigError for any error in the file. */
export function readFlawlessSettings(file: string): Settings {
  const settings = readSettings(file);
  if (settings.refusals.size > 0 || settings.document.refusals('check').size > 0)
    throw new ConfigError(file, settings.problems);
  return settings;
}

/** Which rows of the database belong to this daemon. */
export function rowScope({ host, monitor }: Settings): RowScope {
  return { hostId: host.hostId, onlyConfigured: monitor.onlyConfigured };
}

/** Parses a document that has been read. A value with an error has its default. */
export function parseSettings(file: string, document: ConfigDocument): Settings {
  const host = parseHost(document.section('host'));
  const monitor = parseMonitorSettings(document.section('monitor'));
  const database = parseDatabase(document.section('database'));
  const logging = parseLogging(document.section('logging'));
  const control = parseControl(document.section('control'));
  const history = parseHistory(document.section('history'));
  const events = parseEvents(document.section('events'));
  const checkConcurrency = document.section('checks').integer('concurrency', { default: 50, min: 1, max: 1000 });
  const processNames = document.names('process');
  const makers = new Map(processNames.map((name) => [name, parseProcess(document, name)]));
  const fallback = parseProcess(document, undefined);
  checkCommands(document, (name) => makers.get(name)?.commandKeys ?? []);
  checkDependencies(document);
  checkSharedNames(document);
  const checks = parseChecks(document);
  const problems = document.complete();
  const refusals = document.refusals('process');
  return {
    file,
    document,
    host,
    monitor,
    database,
    logging,
    control,
    history,
    checks,
    checkConcurrency,
    events: document.hasSection('events') ? events : undefined,
    processNames,
    refusals,
    // A refused process is not watched: the key that identifies it may be the wrong one.
    watchedNames: processNames.filter((name) => makers.get(name)?.watch.watched && !refusals.has(name)),
    bootGracesMs: new Map(
      [...makers].flatMap(([name, { watch }]) => (watch.bootGraceMs === undefined ? [] : [[name, watch.bootGraceMs]])),
    ),
    problems,
    createPlans: (parts) => {
      const usable = [...makers].filter(([name]) => !refusals.has(name));
      const sections = usable.map(([name, { settings, twin }]) => ({ ...twin, systemName: settings.systemName ?? name }));
      const twins = new Twins(sections, { ...parts, path: process.env.PATH ?? USUAL_PATH });
      const whole = { ...parts, requirePin: monitor.requirePin, twins };
      const create = (maker: ParsedProcess): RecoveryPlan => withoutRefused(maker.create(whole), refusals);
      const own = new Map(usable.map(([name, maker]) => [name, create(maker)]));
      for (const [name, reason] of refusals)
        own.set(name, (makers.get(name) ?? fallback).refuse(errorsOf(file, problems, name, reason)));
      const others = create(fallback);
      return (processName) => own.get(processName) ?? others;
    },
  };
}

/** A refused process is never healed: a process that depends on it would wait until the error is corrected. */
function withoutRefused(plan: RecoveryPlan, refusals: ReadonlyMap<string, string>): RecoveryPlan {
  const { settings } = plan;
  if (!settings.dependsOn.some((name) => refusals.has(name))) return plan;
  return { ...plan, settings: { ...settings, dependsOn: settings.dependsOn.filter((name) => !refusals.has(name)) } };
}

/** All reported errors of one process; if the file has very many, only some are reported. */
function errorsOf(file: string, problems: readonly ConfigProblem[], name: string, first: string): [string, ...string[]] {
  const own = problems.filter(({ severity, section }) => severity === 'error' && section === `process.${name}`);
  const others = own.map((problem) => formatProblem(file, problem)).filter((line) => line !== first);
  return [first, ...others];
}

interface ParsedProcess {
  readonly settings: RecoverySettings;
  readonly watch: RunningWatch;
  readonly twin: ParsedStrategy['twin'];
  /** The keys of the commands that may run. */
  readonly commandKeys: readonly string[];
  create(parts: PlanParts): RecoveryPlan;
  /** The plan that refuses every restart; `errors`: why, a line each. */
  refuse(errors: readonly [string, ...string[]]): RecoveryPlan;
}

/** Parses one `[process.NAME]`, or what applies to processes without one. */
function parseProcess(document: ConfigDocument, name: string | undefined): ParsedProcess {
  const section = document.member('process', name);
  const settings = parseRecoverySettings(section);
  const stands = (key: string): boolean => document.stands(section.section, key);
  const strategy = parseStrategy(section, stands);
  const createChecks = parseHealthChecks(section);
  const watch = parseRunningWatch(section, stands);
  if (name !== undefined && watch.bootGraceMs === undefined && stands('boot_grace'))
    section.warning('boot_grace', 'has no effect: ensure_running is not true');
  return {
    settings,
    watch,
    twin: strategy.twin,
    commandKeys: ['pre_restart_command', ...strategy.commandKeys, 'health_check_command'],
    create: (parts) => ({
      configured: name !== undefined,
      settings,
      strategy: strategy.create(parts),
      checks: createChecks(parts),
      furtherChecks: parts.furtherChecks,
    }),
    refuse: (errors) => ({
      configured: name !== undefined,
      // It waits for nothing: the members of a circle would wait for each other.
      settings: { ...settings, dependsOn: [] },
      strategy: refusedStrategy(strategy.name, errors),
      checks: [],
    }),
  };
}
