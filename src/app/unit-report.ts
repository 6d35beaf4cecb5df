import type { ConfigDocument } from '../config/config-document.ts';
import { systemClock } from '../core/clock.ts';
import { DEFAULT_SECTION } from '../core/config.ts';
import type { ConfigProblem } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { ProgramRoots } from '../core/program/roots.ts';
import { Concerns } from '../strategies/concerns.ts';
import { NEVER_SEEN } from '../strategies/process/launch-words.ts';
import { managedProcess, type Plans } from '../strategies/recovery-plan.ts';
import type { Resolution, StrategyName } from '../strategies/strategy.ts';
import { maskWarning } from '../strategies/unit/mask.ts';
import { createExecution, type Execution } from '../system/execution.ts';
import { NameResolver } from '../system/names/resolver.ts';
import { ProcessLook, sharedLooks } from '../system/proc/look.ts';
import { ProcessTable } from '../system/proc/table.ts';
import type { LeftAlone } from './backends.ts';
import { warnOfChecks } from './check-findings.ts';
import { warnOfSections } from './file-findings.ts';
import { lookAtState } from './offline.ts';
import { type FindingParts, ProcessFindings } from './process-findings.ts';
import type { Settings } from './settings.ts';

/** Finds out for check-config what systemd knows about the names of a configuration and a database. Nothing is started. */
export class UnitReport {
  readonly #settings: Settings;
  readonly #execution: Execution;
  readonly #plans: Plans;
  readonly #roots: ProgramRoots;
  readonly #log: Logger;

  constructor(settings: Settings, log: Logger) {
    this.#settings = settings;
    this.#log = log;
    this.#execution = createExecution({ stateDir: settings.monitor.stateDir, log });
    const state = lookAtState(settings);
    // The records are in memory now, and changes to them are not saved.
    state.close();
    const { launches, pins, roots, unitsWithProcesses } = state;
    this.#roots = roots;
    const table = new ProcessTable();
    const look = sharedLooks(table);
    this.#plans = settings.createPlans({
      ...this.#execution,
      clock: systemClock,
      log,
      launches,
      pins,
      roots,
      unitsWithProcesses,
      table,
      look,
      names: new NameResolver(),
    });
  }

  /**
   * The problems of the file, with a warning for each user, group, program, folder, unit and process that it names and that is
   * missing, for each configured process whose unit is masked or whose target an earlier section has, and, as root, for each
   * whose program would not be started again. If systemd does not answer, its warnings are missing. `rows`: what the database
   * was asked.
   */
  async problems(rows: Pick<FindingParts, 'hasRow' | 'rowUnknown'>): Promise<readonly ConfigProblem[]> {
    warnOfSections(this.#settings);
    warnOfChecks(this.#settings);
    await this.#warnOfFindings(rows);
    // Then it is not known what processes inherit, and the following checks would be based on wrong values.
    if (this.#settings.document.hasError(DEFAULT_SECTION)) return this.#settings.document.problems;
    await this.#warnOfTwins();
    // The units of their programs are known by now.
    if (this.#execution.services.available) await this.#warnOfMasks();
    await this.#warnOfUnseen();
    // Of others' processes only root sees how they were started.
    if (process.geteuid?.() === 0) await this.#warnOfConcerns();
    return this.#settings.document.problems;
  }

  async #warnOfFindings(rows: Pick<FindingParts, 'hasRow' | 'rowUnknown'>): Promise<void> {
    const { document, processNames } = this.#settings;
    const within = AbortSignal.timeout(LIMIT_MS);
    const { services } = this.#execution;
    const findings = new ProcessFindings({ settings: this.#settings, plans: this.#plans, services, ...rows });
    await eachOf(processNames, async (name) => {
      for (const problem of await findings.of(name, within))
        if (!isFaulty(document, problem)) document.report(problem, `process.${name}`);
    });
  }

  /** Warns of programs that have never been seen running, so that how to start them is not known. */
  async #warnOfUnseen(): Promise<void> {
    const { document, processNames, refusals } = this.#settings;
    const within = AbortSignal.timeout(LIMIT_MS);
    await eachOf(processNames.slice(0, MOST_NAMES), async (name) => {
      const plan = this.#plans(name);
      if (refusals.has(name) || isCommanded(plan.strategy.name)) return;
      const { refusals: reasons } = await plan.strategy.preview(managedProcess(name, plan), within);
      const unseen = reasons.find((reason) => reason.includes(NEVER_SEEN));
      if (unseen !== undefined) document.warnOfProcess(name, 'restart_strategy', unseen);
    });
  }

  async #warnOfConcerns(): Promise<void> {
    const { document, processNames } = this.#settings;
    const concerns = new Concerns(() => this.#plans, this.#log);
    const look = await ProcessLook.take(new ProcessTable());
    await concerns.look(processNames, async () => look);
    for (const name of concerns.names())
      document.warnOfProcess(name, 'restart_strategy', `its program would not be started again: ${concerns.of(name)}`);
  }

  async #warnOfMasks(): Promise<void> {
    const { document, processNames } = this.#settings;
    const within = AbortSignal.timeout(LIMIT_MS);
    await eachOf(processNames, async (name) => {
      const plan = this.#plans(name);
      const process = managedProcess(name, plan);
      const lastUnit = this.#roots.lastUnit(process.systemName);
      const warning = await maskWarning(this.#execution.services, plan.strategy.name, process, lastUnit, within);
      if (warning !== undefined) document.warnOfProcess(name, 'restart_strategy', warning);
    });
  }

  async #warnOfTwins(): Promise<void> {
    const { document, processNames } = this.#settings;
    const within = AbortSignal.timeout(LIMIT_MS);
    const resolved = new Map<string, Resolution>();
    const resolve = async (name: string): Promise<void> => {
      const plan = this.#plans(name);
      resolved.set(name, await plan.strategy.resolve(managedProcess(name, plan), within));
    };
    // Twice: that a program has two names is known only once it was seen under both.
    for (let round = 0; round < 2; round += 1) await eachOf(processNames, resolve);
    const first = new Map<string, string>();
    for (const name of processNames) {
      const resolution = resolved.get(name);
      if (resolution?.kind !== 'target') continue;
      const ruling = first.get(resolution.key);
      if (ruling === undefined) first.set(resolution.key, name);
      else
        document.warnOfProcess(
          name,
          'system_name',
          `is the same as [process.${ruling}] (${resolution.description}): the section that comes first in the file applies to both`,
        );
    }
  }

  /** The rule for processes without a section, in one line; null if there is none to mention. */
  unnamedRule(): string | null {
    const { monitor } = this.#settings;
    if (monitor.onlyConfigured) return 'processes without a section of their own are not restarted (only_configured)';
    return this.#plans(NO_NAME).strategy.name === 'custom' ? null : LEFT_ALONE;
  }

  /** Those of `names` without a section that would be refused, in their order; at most a thousand are looked at. */
  async leftAlone(names: readonly string[]): Promise<LeftAlone> {
    const { monitor, processNames } = this.#settings;
    const configured = new Set(processNames);
    const unnamed = [...new Set(names)].filter((name) => name !== '' && !configured.has(name));
    if (monitor.onlyConfigured) return { processes: [], unseen: 0 };
    const looked = unnamed.slice(0, MOST_NAMES);
    const within = AbortSignal.timeout(LIMIT_MS);
    const reasons = new Map<string, string>();
    await eachOf(looked, async (name) => {
      const plan = this.#plans(name);
      const resolution = await plan.strategy.resolve(managedProcess(name, plan), within);
      if (resolution.kind === 'refused') reasons.set(name, resolution.reason);
    });
    const processes = looked.flatMap((name) => {
      const reason = reasons.get(name);
      return reason === undefined ? [] : [{ name, reason }];
    });
    return { processes, unseen: unnamed.length - looked.length };
  }
}

/** Whether the value that a warning is about has an error, even an inherited one: then the problem is reported already. */
function isFaulty(document: ConfigDocument, { section, key }: ConfigProblem): boolean {
  return document.hasError(section, key) || (!document.stands(section, key) && document.hasError(DEFAULT_SECTION, key));
}

/** True if a command or systemd starts it. */
function isCommanded(strategy: StrategyName): boolean {
  return strategy === 'custom' || strategy === 'service';
}

const LEFT_ALONE = [
  'processes without a section of their own are restarted too; units, and programs in them, are left alone if the unit is neither',
  'active nor enabled, belongs to the system itself, has a "\\" in its name, or if its restart would affect other units or the machine',
].join(' ');
/** No process has an empty name. */
const NO_NAME = '';
const MOST_NAMES = 1000;
const AT_ONCE = 8;
/** A systemd that hangs must not delay the command line longer, in milliseconds. */
const LIMIT_MS = 15_000;

async function eachOf(names: readonly string[], use: (name: string) => Promise<void>): Promise<void> {
  const queue = names.values();
  const worker = async (): Promise<void> => {
    for (const name of queue) await use(name);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
