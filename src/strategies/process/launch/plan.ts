// Plans how a program is started.
import { existsSync } from 'node:fs';
import { basename, isAbsolute } from 'node:path';
import process from 'node:process';
import type { ManagedProcess } from '../../../core/alarm.ts';
import { commandEnvironment, expandCommand } from '../../../core/command-template.ts';
import type { LaunchRecord } from '../../../core/program/launch-record.ts';
import { userWords } from '../../../system/accounts/names.ts';
import { hostPath, hostStat } from '../../../system/files/host-path.ts';
import { ledByOthers } from '../../../system/files/roots-own.ts';
import type { Launch } from '../../../system/launch/launcher.ts';
import { notRootsLaunch } from '../../../system/launch/roots-launch.ts';
import { minimalEnvironment } from '../../../system/spawn/minimal-environment.ts';
import { findProgram } from '../../command/find-program.ts';
import { judgeUnitName } from '../../unit/name-policy.ts';
import { describeForeignProcesses } from '../descriptions.ts';
import { describeArgv, NEVER_SEEN, nothingToStart, OLD_RECORD, pinAdvice, pinAgain, shown, UNUSABLE } from '../launch-words.ts';
import type { ProcessOptions } from '../options.ts';
import type { WholeLaunch } from './copies.ts';
import type { PinCheck } from './pinned.ts';

/** What would be started, one launch for each tree; or in one line why nothing can be. */
export type StartPlan =
  | {
      readonly kind: 'planned';
      readonly launches: readonly PlannedLaunch[];
      /** Remarks for the log and for `match`, one line each. */
      readonly remarks?: readonly string[];
    }
  /** `final`: as in RestartOutcome; `unseen`: nothing was ever known about the program. */
  | { readonly kind: 'refused'; readonly reason: string; readonly final?: boolean; readonly unseen?: true };

/** One program to start. */
interface PlannedLaunch {
  readonly what: Launch['what'];
  /** For people, printable; a `start_command` with its text, which may contain a secret. */
  readonly description: string;
  /** The same for the log. */
  readonly label: string;
}

/** What an operator has set for the program, and what is known about it besides its records. */
interface StartRule {
  /** The result of checking the program's pin; undefined if it has none. */
  readonly pin: PinCheck | undefined;
  /** `require_pin`: no program of root is started without a pin, except by start_command. */
  readonly requirePin: boolean;
  /** The uid of `user`; undefined if that is not set. */
  readonly userUid: number | undefined;
  /** How many copies start_command starts; at least one. */
  readonly copies: number;
  /** Something of it runs that is not a leftover. */
  readonly isRunning: boolean;
  /** As in LaunchNote. */
  readonly unusable: string | undefined;
  /** It was seen running, and we had not started it. */
  readonly wasSeen: boolean;
  /** Processes that have its name and are not taken for it. */
  readonly foreign: Parameters<typeof describeForeignProcesses>[0];
}

/**
 * Plans a start: `start_command`; else the pin; else the launch of what runs, or of what ran last (`whole`); else, only in the
 * process's own section and if nothing was ever known about it, the program found in `path` ($PATH), without arguments. A pin
 * or a record that must not be used is a refusal, never a reason to look further.
 */
export function planStart(
  options: ProcessOptions,
  managed: ManagedProcess,
  attempt: number,
  { records, lacking }: WholeLaunch,
  path: string,
  rule: StartRule,
): StartPlan {
  const environment = commandEnvironment(managed, attempt);
  if (options.startCommand !== undefined) {
    const expanded = expandCommand(options.startCommand, managed);
    if (expanded.kind === 'refused') return { kind: 'refused', reason: `start_command: ${expanded.reason}`, final: true };
    const what = { kind: 'line', line: expanded.line, environment, user: options.user } as const;
    const launch = { what, description: `start_command: ${shown(expanded.line)}`, label: 'start_command' };
    return planned(Array.from({ length: rule.copies }, () => launch));
  }
  if (rule.pin !== undefined) return planPinned(rule.pin, managed);
  // The note is about a dead one; what runs may be caught between two programs: the next look may show how it was started.
  const unusable = lacking === undefined && rule.isRunning ? undefined : rule.unusable;
  if (unusable !== undefined)
    return { kind: 'refused', reason: nothingToStart(`${UNUSABLE}: ${unusable}`), final: !rule.isRunning };
  if (records.length > 0)
    return planRecords(records, (record) => usersRefusal(record, rule) ?? rootsRefusal(record, managed, rule));
  return planSearched(options, managed, environment, path, rule);
}

/** Plans for a program of which only the name is known. */
function planSearched(
  options: ProcessOptions,
  managed: ManagedProcess,
  environment: Readonly<Record<string, string>>,
  path: string,
  rule: StartRule,
): StartPlan {
  // A section [process.reboot] means a process of that name; running /sbin/reboot never restarts it.
  const judged = judgeUnitName(basename(managed.systemName), true);
  if (judged.kind === 'refused') return refused(judged.reason);
  if (rule.wasSeen) return refused('how it was started could not be determined while it ran');
  const found = options.configured ? findProgram(managed.systemName, path) : undefined;
  if (found === undefined) {
    const search = options.configured ? `, and ${noProgram(managed.systemName)}` : '';
    const [notTaken] = describeForeignProcesses(rule.foreign);
    return { ...refused([`${NEVER_SEEN}${search}`, ...(notTaken === undefined ? [] : [notTaken])].join('; ')), unseen: true };
  }
  const uid = rule.userUid ?? process.geteuid?.() ?? 0;
  const unsafe = uid === 0 ? rootsRefusal(withoutArguments(found), managed, rule) : undefined;
  if (unsafe !== undefined) return { kind: 'refused', reason: unsafe, final: true };
  // The path is passed in the environment: it is data to the shell, whatever it contains.
  const what = {
    kind: 'line',
    line: 'exec "$MONITOR_PROGRAM"',
    environment: { ...environment, MONITOR_PROGRAM: found },
    user: options.user,
  } as const;
  const description = `${shown(found)}, without arguments`;
  return planned([{ what, description, label: description }]);
}

function noProgram(name: string): string {
  return name.startsWith('/') ? `there is no program ${shown(name)}` : `no program ${shown(name)} is in PATH`;
}

function refused(why: string): StartPlan & { readonly kind: 'refused' } {
  return { kind: 'refused', reason: nothingToStart(why), final: true };
}

/** As one of our commands would execute it. */
function withoutArguments(executable: string): LaunchRecord {
  const environment = Object.entries(minimalEnvironment()).map(([name, value]) => `${name}=${value}`);
  return { argv: [executable], executable, cwd: '/', environment, uid: 0, gid: 0, groups: [] };
}

function planPinned(pin: PinCheck, { processName }: ManagedProcess): StartPlan {
  if (pin.kind === 'refused') return { kind: 'refused', reason: `${pin.reason}; ${pinAgain(processName)}`, final: true };
  const plan = planRecords(pin.records, () => undefined, 'as pinned');
  const remarks = pin.changed.map((path) => `${path} has changed since it was pinned, and is root's alone`);
  return plan.kind === 'refused' ? { ...plan, reason: `${plan.reason}; ${pinAgain(processName)}` } : { ...plan, remarks };
}

/**
 * Why a record of a program of root is not enough, with advice. Whoever controls part of what it executes would get root's rights through
 * it, which the recorded program may have dropped or never had; and so would whoever can choose the directory that it writes
 * to.
 */
function rootsRefusal(record: LaunchRecord, { processName }: ManagedProcess, { requirePin }: StartRule): string | undefined {
  if (record.uid !== 0) return undefined;
  const others = requirePin ? 'require_pin requires a pin' : notRootsLaunch(record);
  if (others !== undefined) return `it would be started as root: ${shown(others)}; ${pinAdvice(processName)}`;
  const led = ledByOthers(record.cwd);
  return led === undefined ? undefined : `its directory ${shown(led)}; ${pinAdvice(processName)}`;
}

/** Refuses a record of a user other than `user`; a root's program may become that user after its start. */
function usersRefusal({ uid }: LaunchRecord, { userUid }: StartRule): string | undefined {
  if (userUid === undefined || uid === userUid || uid === 0) return undefined;
  return `it was recorded as a program of user ${uid}, but the key user says ${userUid}: start it once as that user, or set start_command`;
}

function planRecords(
  records: readonly LaunchRecord[],
  refusal: (record: LaunchRecord) => string | undefined,
  whose = 'its own command line',
): StartPlan {
  const launches: PlannedLaunch[] = [];
  for (const record of records) {
    if (record.unconfined !== true) return { kind: 'refused', reason: OLD_RECORD };
    const usable = withExecutable(record);
    if (usable === undefined)
      return { kind: 'refused', reason: `its program ${shown(record.executable)} is not there any more` };
    const folder = hostStat(usable.cwd);
    if (folder === 'unknown') return { kind: 'refused', reason: `its directory ${shown(usable.cwd)} cannot be examined` };
    if (folder === 'none' || !folder.isDirectory())
      return { kind: 'refused', reason: `its directory ${shown(usable.cwd)} is not there any more` };
    const refused = refusal(usable);
    if (refused !== undefined) return { kind: 'refused', reason: refused, final: true };
    const description = `${whose}: ${describeArgv(usable.argv)} (${userWords(usable.uid)}, in ${shown(usable.cwd)})`;
    launches.push({ what: { kind: 'argv', record: usable }, description, label: description });
  }
  return planned(launches);
}

function planned(launches: readonly PlannedLaunch[]): StartPlan {
  return { kind: 'planned', launches };
}

/** An update may have moved the file that /proc showed, while argv[0] is the path at which it is always found. */
function withExecutable(record: LaunchRecord): LaunchRecord | undefined {
  if (existsSync(hostPath(record.executable))) return record;
  const [called = ''] = record.argv;
  return isAbsolute(called) && existsSync(hostPath(called)) ? { ...record, executable: called } : undefined;
}
