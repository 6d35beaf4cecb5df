import { existsSync } from 'node:fs';
import { basename, isAbsolute } from 'node:path';
import type { ManagedProcess } from '../../../core/alarm.ts';
import { commandEnvironment, expandCommand } from '../../../core/command-template.ts';
import { isInterpreter } from '../../../core/interpreters.ts';
import type { LaunchRecord } from '../../../core/launch-record.ts';
import { hostPath, hostStat } from '../../../system/files/host-path.ts';
import type { Launch } from '../../../system/launch/launcher.ts';
import { notRootsLaunch } from '../../../system/launch/roots-launch.ts';
import { judgeUnitName } from '../../unit/name-policy.ts';
import type { ProcessOptions } from '../options.ts';
import { findProgram } from './find-program.ts';
import type { RecalledLaunch } from './memory.ts';
import type { PinCheck } from './pinned.ts';
import { describeArgv, NEVER_SEEN, OLD_RECORD, pinAgain, pinCure, shown } from './words.ts';

/** What would be started, one launch a tree; or in one line why nothing can be. */
export type StartPlan =
  | {
      readonly kind: 'planned';
      readonly launches: readonly PlannedLaunch[];
      /** What the log and `match` tell of them, a line each. */
      readonly remarks?: readonly string[];
    }
  /** `final`: as in RestartOutcome. */
  | { readonly kind: 'refused'; readonly reason: string; readonly final?: boolean };

/** One program to start. */
export interface PlannedLaunch {
  readonly what: Launch['what'];
  /** For people, printable; a `start_command` with its text, which may hold a secret. */
  readonly description: string;
  /** The same for the log. */
  readonly label: string;
}

/** What an operator has said of root's programs. */
export interface StartRule {
  /** What has become of the program's pin; undefined where it has none. */
  readonly pin: PinCheck | undefined;
  /** `require_pin`: nothing of root's is started from a record alone. */
  readonly requirePin: boolean;
  /** Of `user`; undefined where that is not set. */
  readonly userUid: number | undefined;
  /** It was seen to run, though how it was started could not be told. */
  readonly wasSeen: boolean;
}

/**
 * `start_command`; else as it is pinned; else as the trees that run were started (`running`), or as the last one was (`stored`); else,
 * in a section of the process's own, the program found in `path` ($PATH), without arguments. A pin or a record that may not be used
 * is a refusal, never a reason to look further.
 */
export function planStart(
  options: ProcessOptions,
  process: ManagedProcess,
  attempt: number,
  running: readonly RecalledLaunch[],
  stored: LaunchRecord | undefined,
  path: string,
  rule: StartRule,
): StartPlan {
  const environment = commandEnvironment(process, attempt);
  if (options.startCommand !== undefined) {
    const expanded = expandCommand(options.startCommand, process);
    if (expanded.kind === 'refused') return { kind: 'refused', reason: `start_command: ${expanded.reason}`, final: true };
    const what = { kind: 'line', line: expanded.line, environment, user: options.user } as const;
    return planned([{ what, description: `start_command: ${shown(expanded.line)}`, label: 'start_command' }]);
  }
  if (rule.pin !== undefined) return planPinned(rule.pin, process);
  const known = running.flatMap((launch) => (launch.kind === 'known' ? [launch.record] : []));
  const records = known.length > 0 && known.length === running.length ? known : stored === undefined ? [] : [stored];
  if (records.length > 0)
    return planRecords(records, (record) => usersRefusal(record, rule) ?? rootsRefusal(record, process, rule));
  // A section [process.reboot] means a process of that name; to run /sbin/reboot is never what restarts it.
  const judged = judgeUnitName(basename(process.systemName), true);
  if (judged.kind === 'refused')
    return { kind: 'refused', reason: `nothing to start: ${judged.reason}; set start_command`, final: true };
  // Nobody gets by its name what it may not have as what it is.
  const isConfined = running.some((launch) => launch.kind === 'unknown' && launch.confined === true);
  if (isConfined || known.length > 0)
    return { kind: 'refused', reason: nothingToStart(options, process, running, rule, false) };
  // An interpreter without what it ran is another program.
  const isBare = running.length > 0 && isInterpreter(process.systemName);
  const found = options.configured && !isBare ? findProgram(process.systemName, path) : undefined;
  if (found !== undefined) {
    // The path goes through the environment: it is data to the shell, whatever it holds.
    const what = {
      kind: 'line',
      line: 'exec "$MONITOR_PROGRAM"',
      environment: { ...environment, MONITOR_PROGRAM: found },
      user: options.user,
    } as const;
    const description = `${shown(found)}, without arguments`;
    return planned([{ what, description, label: description }]);
  }
  // What runs may be caught between two programs: the next look may tell how it was started.
  return {
    kind: 'refused',
    reason: nothingToStart(options, process, running, rule, options.configured && !isBare),
    final: running.length === 0,
  };
}

function planPinned(pin: PinCheck, { processName }: ManagedProcess): StartPlan {
  if (pin.kind === 'refused') return { kind: 'refused', reason: `${pin.reason}; ${pinAgain(processName)}`, final: true };
  const plan = planRecords(pin.records, () => undefined, 'as pinned');
  const remarks = pin.changed.map((path) => `${path} has changed since it was pinned, and is root's alone`);
  return plan.kind === 'refused' ? { ...plan, reason: `${plan.reason}; ${pinAgain(processName)}` } : { ...plan, remarks };
}

/**
 * Why a record of root's is not enough, with the cure: whoever has a say in what it executes would get root's rights by it, which the
 * program that was recorded may have lost or never had.
 */
function rootsRefusal(record: LaunchRecord, { processName }: ManagedProcess, { requirePin }: StartRule): string | undefined {
  if (record.uid !== 0) return undefined;
  const others = requirePin ? 'require_pin says that it needs a pin' : notRootsLaunch(record);
  return others === undefined ? undefined : `it would be started as root: ${shown(others)}; ${pinCure(processName)}`;
}

/** A record of another user than `user`, which a root's program may become after its start. */
function usersRefusal({ uid }: LaunchRecord, { userUid }: StartRule): string | undefined {
  if (userUid === undefined || uid === userUid || uid === 0) return undefined;
  return `it was recorded as user ${uid}'s, and user says ${userUid}: start it once as that user, or set start_command`;
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
    if (folder === 'unknown') return { kind: 'refused', reason: `its directory ${shown(usable.cwd)} cannot be looked at` };
    if (folder === 'none' || !folder.isDirectory())
      return { kind: 'refused', reason: `its directory ${shown(usable.cwd)} is not there any more` };
    const refused = refusal(usable);
    if (refused !== undefined) return { kind: 'refused', reason: refused, final: true };
    const description = `${whose}: ${describeArgv(usable.argv)} (user ${usable.uid}, in ${shown(usable.cwd)})`;
    launches.push({ what: { kind: 'argv', record: usable }, description, label: description });
  }
  return planned(launches);
}

function planned(launches: readonly PlannedLaunch[]): StartPlan {
  return { kind: 'planned', launches };
}

/** An update may have moved the file that /proc showed while argv[0] names the place where it is always found. */
function withExecutable(record: LaunchRecord): LaunchRecord | undefined {
  if (existsSync(hostPath(record.executable))) return record;
  const [called = ''] = record.argv;
  return isAbsolute(called) && existsSync(hostPath(called)) ? { ...record, executable: called } : undefined;
}

function nothingToStart(
  options: ProcessOptions,
  process: ManagedProcess,
  running: readonly RecalledLaunch[],
  { wasSeen }: StartRule,
  isSearched = options.configured,
): string {
  const unknown = running.find((launch) => launch.kind === 'unknown');
  const why =
    unknown?.kind === 'unknown'
      ? `how it was started cannot be told: ${unknown.reason}`
      : wasSeen
        ? 'how it was started could not be told while it ran'
        : NEVER_SEEN;
  const search = isSearched ? `, and no program ${shown(process.systemName)} is in PATH` : '';
  return `nothing to start: ${why}${search}; set start_command`;
}
