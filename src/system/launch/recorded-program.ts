import { statSync } from 'node:fs';
import { constants } from 'node:os';
import type { LaunchRecord } from '../../core/program/launch-record.ts';
import { execute, type StartOptions } from '../spawn/command.ts';
import type { CommandResult } from '../spawn/command-result.ts';
import { minimalEnvironment } from '../spawn/minimal-environment.ts';
import { EMPTY_ENVIRONMENT, programScript } from '../spawn/script.ts';
import { setpriv } from '../spawn/user-account.ts';
import { needed, resourcePrefix, shellSteps } from './give-back.ts';

/** What is to be started, and how; or in one line why it cannot be. */
export type StartPlan =
  | {
      readonly kind: 'ready';
      readonly file: string;
      readonly argv: readonly string[];
      readonly options: Omit<StartOptions, 'output' | 'input'>;
      /** What it reads from its standard input (spawn/script.ts); undefined where that is empty. */
      readonly text?: string;
      /** Whose it will be; undefined for ourselves. */
      readonly uid: number | undefined;
    }
  | { readonly kind: 'refused'; readonly reason: string };

/**
 * Starts a recorded program again as it was: argv[0] and all, in its directory, with its environment and MONITOR_RUN_ID, as its
 * user and groups, in its surroundings as far as we may. Only root can make it another user's. Never rejects.
 */
export async function planRecorded(record: LaunchRecord, runId: string): Promise<StartPlan> {
  const { argv, executable, cwd, uid, gid, groups } = record;
  const [argv0 = executable, ...rest] = argv;
  const variables = firstValues(record.environment).set('MONITOR_RUN_ID', runId);
  const isOurs = uid === process.geteuid?.() && gid === process.getegid?.();
  const fault = isOurs ? folderFault(cwd) : undefined;
  if (fault !== undefined) return { kind: 'refused', reason: fault };
  if (!isOurs && process.geteuid?.() !== 0)
    return { kind: 'refused', reason: `only root can start it as the user ${uid}:${gid}` };
  const lacking = needed(record.surroundings ?? {});
  // In a script: its directory is entered, and its program looked for, with its own rights alone, not on the way from root's to them;
  // and an LD_PRELOAD of that user's must not meet setpriv, which is root still.
  const steps = shellSteps(lacking, { isUnit: false });
  const script = programScript({ executable, argv, cwd, environment: variables, steps });
  // What needs neither other rights nor other surroundings, or cannot have those for want of bash, needs no shell.
  if (isOurs && (script === undefined || Object.keys(lacking).length === 0)) {
    const options = { environment: Object.fromEntries(variables), cwd, argv0 };
    return { kind: 'ready', file: executable, argv: rest, options, uid };
  }
  if (script === undefined) return { kind: 'refused', reason: NEEDS_BASH };
  const { ignoredSignals } = lacking;
  const isAll = ignoredSignals !== undefined && Object.keys(lacking).length === 1 && argv0 === executable;
  if (isOurs && isAll && (await canEnvBegin(executable)))
    return {
      kind: 'ready',
      file: ENV,
      argv: [ignoring(ignoredSignals), '--', executable, ...rest],
      options: { environment: Object.fromEntries(variables), cwd },
      uid,
    };
  const environment = { ...minimalEnvironment(), MONITOR_RUN_ID: runId };
  const rights = isOurs ? [] : setpriv(uid, gid, groupsOption(groups));
  const [file = '', ...become] = [...resourcePrefix(lacking), ...rights, ...EMPTY_ENVIRONMENT, ...script.argv];
  return { kind: 'ready', file, argv: become, options: { environment, cwd: '/' }, text: script.text, uid };
}

/**
 * Whether env(1) can begin what only ignores signals, as all that a shell has put into the background does: in less than half of a
 * shell's time, and with variables that no shell can hold. That of coreutils 8.31 and later can.
 */
async function canEnvBegin(executable: string): Promise<boolean> {
  // It takes what holds one for a variable.
  if (executable.includes('=')) return false;
  canIgnore ??= execute(ENV, [ignoring([constants.signals.SIGINT]), 'true'], { timeoutMs: 1000 });
  const result = await canIgnore;
  return result.kind === 'exited' && result.exitCode === 0;
}

/** Asked once. */
let canIgnore: Promise<CommandResult> | undefined;
const ENV = '/usr/bin/env';

function ignoring(signals: readonly number[]): string {
  return `--ignore-signal=${signals.join(',')}`;
}

/** Why a program that was called by another name than its file's cannot be started. */
export const NEEDS_BASH = 'it was started under another name than its own, and only bash can do that again: set start_command';

/** setpriv's option for exactly these supplementary groups. */
export function groupsOption(groups: readonly number[]): string {
  return groups.length === 0 ? '--clear-groups' : `--groups=${groups.join(',')}`;
}

/** Why it cannot be worked in; undefined where it can. */
function folderFault(path: string): string | undefined {
  try {
    return statSync(path).isDirectory() ? undefined : `its working directory ${path} is gone`;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const isGone = code === 'ENOENT' || code === 'ENOTDIR';
    return isGone ? `its working directory ${path} is gone` : `its working directory ${path} cannot be entered (${code})`;
  }
}

/** `KEY=VALUE` each; of several values of one key getenv(3) finds the first. */
export function firstValues(environment: readonly string[]): Map<string, string> {
  const values = new Map<string, string>();
  for (const entry of environment) {
    const cut = entry.indexOf('=');
    if (cut > 0 && !values.has(entry.slice(0, cut))) values.set(entry.slice(0, cut), entry.slice(cut + 1));
  }
  return values;
}
