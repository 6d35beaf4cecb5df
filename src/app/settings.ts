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
import { parseRunningWatch, type RunningWatch } from '../detectors/exits/options.ts';
import type { HealthCheckParts } from '../health/health-check.ts';
import { parseHealthChecks } from '../health/index.ts';
import { type LoggingOptions, parseLogging } from '../logging/parse-logging.ts';
import { type ParsedStore, parseDatabase } from '../stores/index.ts';
import type { RowScope } from '../stores/row-scope.ts';
import { type ParsedStrategy, parseStrategy } from '../strategies/index.ts';
import type { Plans, RecoveryPlan } from '../strategies/recovery-plan.ts';
import { refusedStrategy } from '../strategies/refused.ts';
import type { StrategyParts } from '../strategies/strategy.ts';
import { Twins } from '../strategies/twins.ts';
import { type EventStreamOptions, parseEvents } from '../stream/parse-events.ts';
import { USUAL_PATH } from '../system/spawn/minimal-environment.ts';

/** What the plans of processes are made with. */
export type PlanParts = StrategyParts & HealthCheckParts;

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
  /** undefined: no `[events]` stands in the file. */
  readonly events: EventStreamOptions | undefined;
  /** Names that have a section of their own, in the file's order. */
  readonly processNames: readonly string[];
  /**
   * The processes whose own sections hold an error, and the members of a circle of `depends_on`: nothing of them is restarted, watched or
   * waited for. Each with the first error, `FILE:LINE: [section] key: problem`.
   */
  readonly refusals: ReadonlyMap<string, string>;
  /** Those of `processNames` whose end raises their alarm (`watch_exit`). */
  readonly watchedNames: readonly string[];
  /** How long those of them that have to run (`ensure_running`) may take to, after a start or reload. */
  readonly bootGracesMs: ReadonlyMap<string, number>;
  /** What each process is recovered by; those without a section share the plan of `[process.default]`. */
  readonly createPlans: (parts: Omit<PlanParts, 'requirePin' | 'twins'>) => Plans;
  /** All that was found in the file, in its order: errors of single processes, and what works but should be mended. */
  readonly problems: readonly ConfigProblem[];
}

/**
 * Reads and parses `file` whole; throws a ConfigError with every problem found if an error stands outside of the processes' own sections.
 * Source: seed 000.
 */
export function readSettings(file: string): Settings {
  const settings = judgeSettings(file);
  if (!settings.document.usable) throw new ConfigError(file, settings.problems);
  return settings;
}

/**
 * The same for who only judges the file: where it cannot be used (`document.usable`), what has an error has its default. Throws a
 * ConfigError if the file cannot be read at all.
 */
export function judgeSettings(file: string): Settings {
  return parseSettings(file, loadConfigFile(file));
}

/** The same for who has a configuration that holds already: an error anywhere in the file is thrown. */
export function readFlawlessSettings(file: string): Settings {
  const settings = readSettings(file);
  if (settings.refusals.size > 0) throw new ConfigError(file, settings.problems);
  return settings;
}

/** Whose rows are ours. */
export function rowScope({ host, monitor }: Settings): RowScope {
  return { hostId: host.hostId, onlyConfigured: monitor.onlyConfigured };
}

/** Parses a document that was read already: what has an error has its default. */
export function parseSettings(file: string, document: ConfigDocument): Settings {
  const host = parseHost(document.section('host'));
  const monitor = parseMonitorSettings(document.section('monitor'));
  const database = parseDatabase(document.section('database'));
  const logging = parseLogging(document.section('logging'));
  const control = parseControl(document.section('control'));
  const events = parseEvents(document.section('events'));
  const processNames = document.processNames();
  const makers = new Map(processNames.map((name) => [name, parseProcess(document, name)]));
  const fallback = parseProcess(document, undefined);
  checkCommands(document, (name) => makers.get(name)?.commandKeys ?? []);
  checkDependencies(document);
  checkSharedNames(document);
  const problems = document.complete();
  const { refusals } = document;
  return {
    file,
    document,
    host,
    monitor,
    database,
    logging,
    control,
    events: document.hasSection('events') ? events : undefined,
    processNames,
    refusals,
    // By what it would be known may be just what is wrong.
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

/** Nobody heals what is refused: who depends on it would wait as long as the error stands. */
function withoutRefused(plan: RecoveryPlan, refusals: ReadonlyMap<string, string>): RecoveryPlan {
  const { settings } = plan;
  if (!settings.dependsOn.some((name) => refusals.has(name))) return plan;
  return { ...plan, settings: { ...settings, dependsOn: settings.dependsOn.filter((name) => !refusals.has(name)) } };
}

/** All errors that were told of one process; of many in the file only some are told of. */
function errorsOf(file: string, problems: readonly ConfigProblem[], name: string, first: string): [string, ...string[]] {
  const own = problems.filter(({ severity, section }) => severity === 'error' && section === `process.${name}`);
  const others = own.map((problem) => formatProblem(file, problem)).filter((line) => line !== first);
  return [first, ...others];
}

interface ParsedProcess {
  readonly settings: RecoverySettings;
  readonly watch: RunningWatch;
  readonly twin: ParsedStrategy['twin'];
  /** Of the commands that are set, those that may run. */
  readonly commandKeys: readonly string[];
  create(parts: PlanParts): RecoveryPlan;
  /** The plan by which nothing is done; `errors`: why, each one line. */
  refuse(errors: readonly [string, ...string[]]): RecoveryPlan;
}

/** One `[process.NAME]`, or what holds for the processes without one. */
function parseProcess(document: ConfigDocument, name: string | undefined): ParsedProcess {
  const section = document.processSection(name);
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
    }),
    refuse: (errors) => ({
      configured: name !== undefined,
      // It waits for nothing: those of a circle would wait for each other.
      settings: { ...settings, dependsOn: [] },
      strategy: refusedStrategy(strategy.name, errors),
      checks: [],
    }),
  };
}
