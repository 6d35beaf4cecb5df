// Plans to start a recorded program again.

import { statSync } from 'node:fs';
import { constants } from 'node:os';
import type { LaunchRecord } from '../../core/program/launch-record.ts';
import { execute, type StartOptions } from '../spawn/command.ts';
import type { CommandResult } from '../spawn/command-result.ts';
import { minimalEnvironment } from '../spawn/minimal-environment.ts';
import { EMPTY_ENVIRONMENT, programScript } from '../spawn/script.ts';
import { setpriv } from '../spawn/user-account.ts';
import { needed, resourcePrefix, shellSteps } from './give-back.ts';

/** What is to be started and how, or one line why it cannot be started. */
export type StartPlan =
  | {
      readonly kind: 'ready';
      readonly file: string;
      readonly argv: readonly string[];
      readonly options: Omit<StartOptions, 'output' | 'input'>;
      /** What it reads from its standard input (spawn/script.ts); undefined if that is empty. */
      readonly text?: string;
      /** The user that it runs as; undefined for our own. */
      readonly uid: number | undefined;
    }
  | { readonly kind: 'refused'; readonly reason: string };

/**
 * Plans to start a recorded program again as it was: with its whole argv including argv[0], in its directory, with its
 * environment and MONITOR_RUN_ID, as its user and groups, in its surroundings as far as we may. Only root can start it as
 * another user. Never rejects.
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
  // Done in a script: its directory is entered, and its program looked up, with its own rights only, not on the way from root's
  // rights to them. And an LD_PRELOAD of that user must not reach setpriv, which is still root.
  const steps = shellSteps(lacking, { isUnit: false });
  const script = programScript({ executable, argv, cwd, environment: variables, steps });
  // If it needs neither other rights nor other surroundings, or cannot have the latter because there is no bash, it needs no
  // shell.
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
 * True if env(1) can start a program that only ignores signals, as everything does that a shell has put into the background.
 * env takes less than half of a shell's time, and passes variables that no shell can hold. coreutils 8.31 and later can do
 * that.
 */
async function canEnvBegin(executable: string): Promise<boolean> {
  // env takes a word with `=` for a variable.
  if (executable.includes('=')) return false;
  canIgnore ??= execute(ENV, [ignoring([constants.signals.SIGINT]), 'true'], { timeoutMs: 1000 });
  const result = await canIgnore;
  return result.kind === 'exited' && result.exitCode === 0;
}

/** Checked once. */
let canIgnore: Promise<CommandResult> | undefined;
const ENV = '/usr/bin/env';

function ignoring(signals: readonly number[]): string {
  return `--ignore-signal=${signals.join(',')}`;
}

/** Why a program that was called by another name than its file's cannot be started. */
export const NEEDS_BASH = 'it was started by a name other than its file name, which only bash can repeat: set start_command';

/** Returns setpriv's option for exactly these supplementary groups. */
export function groupsOption(groups: readonly number[]): string {
  return groups.length === 0 ? '--clear-groups' : `--groups=${groups.join(',')}`;
}

/** Says why a directory cannot be entered; undefined if it can. */
function folderFault(path: string): string | undefined {
  try {
    return statSync(path).isDirectory() ? undefined : `its working directory ${path} is gone`;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const isGone = code === 'ENOENT' || code === 'ENOTDIR';
    return isGone ? `its working directory ${path} is gone` : `its working directory ${path} cannot be entered (${code})`;
  }
}

/** Splits `KEY=VALUE` entries. If a key has several values, keeps the first, as getenv(3) does. */
export function firstValues(environment: readonly string[]): Map<string, string> {
  const values = new Map<string, string>();
  for (const entry of environment) {
    const cut = entry.indexOf('=');
    if (cut > 0 && !values.has(entry.slice(0, cut))) values.set(entry.slice(0, cut), entry.slice(cut + 1));
  }
  return values;
}
