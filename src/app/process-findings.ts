import { dirname } from 'node:path';
import type { ConfigDocument } from '../config/config-document.ts';
import { closest, looseName } from '../config/did-you-mean.ts';
import { withName } from '../core/command-template.ts';
import type { ConfigProblem } from '../core/errors.ts';
import { executesElsewhere } from '../core/shell/executed-programs.ts';
import { quoted } from '../core/text/printable.ts';
import { nameProblem } from '../strategies/process/identity/name.ts';
import { managedProcess, type Plans, type RecoveryPlan } from '../strategies/recovery-plan.ts';
import { missingUnit } from '../strategies/unit/missing-unit.ts';
import { folderProblem } from '../system/files/folder-problem.ts';
import { hostStat } from '../system/files/host-path.ts';
import type { Entries } from '../system/files/walk-path.ts';
import { type AccountResult, findAccount } from '../system/spawn/user-account.ts';
import type { ServiceManager } from '../system/systemd/service-manager.ts';
import { commandFindings } from './command-findings.ts';
import type { Settings } from './settings.ts';
import { userFinding } from './user-finding.ts';

/** What is needed to find what a section names and this machine does not have. */
export interface FindingParts {
  readonly settings: Pick<Settings, 'document' | 'processNames' | 'refusals' | 'watchedNames'>;
  readonly plans: Plans;
  readonly services: Pick<ServiceManager, 'available' | 'show'>;
  /** Whether the database has rows of that name; undefined: not known. */
  readonly hasRow: (name: string) => Promise<boolean | undefined>;
  /** The words for that if it is not known. */
  readonly rowUnknown?: string;
}

/**
 * Finds what the sections of processes name and this machine does not have (users, programs, folders, units, other processes),
 * and what root runs and others can change. Changes nothing.
 */
export class ProcessFindings {
  readonly #parts: FindingParts;
  readonly #users = new Map<string, Promise<AccountResult>>();
  readonly #entries: Entries = new Map();
  #spellings: ReadonlySet<string> | undefined;
  #hints = 0;

  constructor(parts: FindingParts) {
    this.#parts = parts;
  }

  /**
   * The warnings of one process, each at the line that it is about; [] if nothing was found, and for a process that is refused.
   */
  async of(name: string, signal: AbortSignal): Promise<ConfigProblem[]> {
    const { settings, plans } = this.#parts;
    if (settings.refusals.has(name)) return [];
    const plan = plans(name);
    const found = [
      await this.#user(name, plan, signal),
      await this.#unit(name, plan, signal),
      program(settings.document, name, plan),
      ...(await commandFindings({ ...this.#parts, entries: this.#entries }, name, plan, signal)),
      pidFile(settings.document, name),
      ...(await this.#dependencies(name, plan)),
    ];
    return found.filter((problem) => problem !== undefined);
  }

  async #user(name: string, plan: RecoveryPlan, signal: AbortSignal): Promise<ConfigProblem | undefined> {
    const { settings, services } = this.#parts;
    const findUser = (user: string): Promise<AccountResult> => {
      const asked = this.#users.get(user) ?? findAccount(user, signal);
      this.#users.set(user, asked);
      return asked;
    };
    const problem = await userFinding({ settings, services, findUser }, name, plan, signal);
    return problem === undefined ? undefined : settings.document.processWarning(name, 'user', problem);
  }

  async #unit(name: string, plan: RecoveryPlan, signal: AbortSignal): Promise<ConfigProblem | undefined> {
    const { settings, services } = this.#parts;
    if (plan.strategy.name !== 'service') return undefined;
    const missing = await missingUnit(services, managedProcess(name, plan).systemName, signal);
    if (missing === undefined) return undefined;
    const key = plan.settings.systemName === undefined ? 'restart_strategy' : 'system_name';
    return settings.document.processWarning(name, key, missing);
  }

  async #dependencies(name: string, { settings }: RecoveryPlan): Promise<ConfigProblem[]> {
    const { settings: all, hasRow, rowUnknown = ROW_UNKNOWN } = this.#parts;
    const { document, processNames, refusals } = all;
    const found: ConfigProblem[] = [];
    const warn = (problem: string): void => void found.push(document.standingWarning(name, 'depends_on', problem));
    const named = document.member('process', name).list('depends_on');
    for (const one of named) if (one !== name && refusals.has(one)) warn(`${quoted(one)} is refused, and so is not waited for`);
    for (const one of settings.dependsOn) {
      // If the name is only spelt differently, the problems of the file say so already.
      this.#spellings ??= new Set(processNames.map(looseName));
      if (this.#spellings.has(looseName(one))) continue;
      const known = await hasRow(one);
      if (known === true) continue;
      // Nobody reads the two hundredth guess, and guessing takes most of the time here.
      const meant =
        this.#hints++ < MOST_HINTS
          ? meantDependency(
              one,
              processNames.filter((other) => other !== name),
            )
          : undefined;
      const hint = meant === undefined ? '' : ` (did you mean ${meant}?)`;
      warn(
        known === false
          ? `${quoted(one)} has neither a section nor a row in the database${hint}`
          : `${quoted(one)} has no section${hint}; ${rowUnknown}`,
      );
    }
    return found;
  }
}

/** The dependency that was probably meant: without quotes or brackets around it, and with a comma between two. */
function meantDependency(one: string, names: readonly string[]): string | undefined {
  const bare = one.replace(/^["'[]+|["'\]]+$/g, '').replace(/^process\./, '');
  if (names.includes(bare)) return bare;
  const words = one.split(/[\s;]+/);
  if (words.length > 1 && words.every((word) => names.includes(word))) return words.join(', ');
  return closest(bare, names);
}

const MOST_HINTS = 200;
const ROW_UNKNOWN = 'whether PROCESE has it is not known, because the database did not answer';

/** A warning if the system name is a path without a program. A plain name may belong to a program that is not running. */
function program(document: ConfigDocument, name: string, plan: RecoveryPlan): ConfigProblem | undefined {
  const { strategy, settings } = plan;
  const section = document.member('process', name);
  // A process with one of these keys is not looked for by its name.
  if (['restart_command', 'argument', 'pid_file'].some((key) => section.text(key) !== undefined)) return undefined;
  if (strategy.name !== 'process' && strategy.name !== 'auto') return undefined;
  const process = managedProcess(name, plan);
  const { systemName } = process;
  if (!systemName.includes('/')) return undefined;
  const key = settings.systemName === undefined ? 'restart_strategy' : 'system_name';
  const warning = (problem: string): ConfigProblem => document.standingWarning(name, key, problem);
  const expected = `(expected a program's full path, or its name${strategy.name === 'auto' ? " or a unit's" : ''})`;
  const unfit = nameProblem(process, true);
  if (unfit !== undefined) return warning(unfit);
  const start = section.command('start_command');
  if (start !== undefined && executesElsewhere(withName(start, systemName))) return undefined;
  const stat = hostStat(systemName);
  if (stat === 'none') return warning(`${quoted(systemName)} is not there ${expected}`);
  return stat !== 'unknown' && stat.isDirectory() ? warning(`${quoted(systemName)} is a folder ${expected}`) : undefined;
}

/**
 * A warning if the folder of the pid file is missing; not in /run, where programs and systemd create a folder as they start.
 */
function pidFile(document: ConfigDocument, name: string): ConfigProblem | undefined {
  const path = document.member('process', name).text('pid_file');
  if (path === undefined || /^(?:\/var)?\/run\//.test(path)) return undefined;
  const problem = folderProblem(dirname(path), 'there');
  return problem === undefined ? undefined : document.standingWarning(name, 'pid_file', problem);
}
