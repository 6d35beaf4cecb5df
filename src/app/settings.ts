import { checkCommands } from '../config/check-commands.ts';
import { checkDependencies } from '../config/check-dependencies.ts';
import { checkSharedNames } from '../config/check-shared-names.ts';
import type { ConfigDocument } from '../config/config-document.ts';
import { loadConfigFile } from '../config/config-file.ts';
import { parseMonitorSettings, parseRecoverySettings } from '../config/parse-config.ts';
import { parseHost } from '../config/parse-host.ts';
import { type ControlOptions, parseControl } from '../control/parse-control.ts';
import type { HostSettings, MonitorSettings, RecoverySettings } from '../core/config.ts';
import type { ConfigProblem } from '../core/errors.ts';
import { parseRunningWatch, type RunningWatch } from '../detectors/watch-exit.ts';
import type { HealthCheckParts } from '../health/health-check.ts';
import { parseHealthChecks } from '../health/index.ts';
import { type LoggingOptions, parseLogging } from '../logging/parse-logging.ts';
import type { Plans, RecoveryPlan } from '../monitor/recovery-plan.ts';
import { type ParsedStore, parseDatabase } from '../stores/index.ts';
import type { RowScope } from '../stores/row-scope.ts';
import { type ParsedStrategy, parseStrategy } from '../strategies/index.ts';
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
  /** Those of them whose end raises their alarm (`watch_exit`). */
  readonly watchedNames: readonly string[];
  /** How long those of them that have to run (`ensure_running`) may take to, after a start or reload. */
  readonly bootGracesMs: ReadonlyMap<string, number>;
  /** What each process is recovered by; those without a section share the plan of `[process.default]`. */
  readonly createPlans: (parts: Omit<PlanParts, 'requirePin' | 'twins'>) => Plans;
  /** What works but should be mended. */
  readonly warnings: readonly ConfigProblem[];
}

/** Reads and parses `file` whole; throws a ConfigError with every problem found. Source: seed 000. */
export function readSettings(file: string): Settings {
  return parseSettings(file, loadConfigFile(file));
}

/** Whose rows are ours. */
export function rowScope({ host, monitor }: Settings): RowScope {
  return { hostId: host.hostId, onlyConfigured: monitor.onlyConfigured };
}

/** Parses a document that was read already. */
function parseSettings(file: string, document: ConfigDocument): Settings {
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
  const warnings = document.finish();
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
    watchedNames: processNames.filter((name) => makers.get(name)?.watch.watched),
    bootGracesMs: new Map(
      [...makers].flatMap(([name, { watch }]) => (watch.bootGraceMs === undefined ? [] : [[name, watch.bootGraceMs]])),
    ),
    warnings,
    createPlans: (parts) => {
      const sections = [...makers].map(([name, { settings, twin }]) => ({ ...twin, systemName: settings.systemName ?? name }));
      const twins = new Twins(sections, { ...parts, path: process.env.PATH ?? USUAL_PATH });
      const whole = { ...parts, requirePin: monitor.requirePin, twins };
      const own = new Map([...makers].map(([name, maker]) => [name, maker.create(whole)]));
      const others = fallback.create(whole);
      return (processName) => own.get(processName) ?? others;
    },
  };
}

/** One `[process.NAME]`, or what holds for the processes without one. */
function parseProcess(
  document: ConfigDocument,
  name: string | undefined,
): {
  settings: RecoverySettings;
  watch: RunningWatch;
  twin: ParsedStrategy['twin'];
  /** Of the commands that are set, those that may run. */
  commandKeys: readonly string[];
  create: (parts: PlanParts) => RecoveryPlan;
} {
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
  };
}
