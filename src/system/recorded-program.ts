import { statSync } from 'node:fs';
import type { LaunchRecord } from '../core/launch-record.ts';
import type { StartOptions } from './command.ts';
import { minimalEnvironment } from './minimal-environment.ts';

/** What is to be started, and how; or in one line why it cannot be. */
export type StartPlan =
  | {
      readonly kind: 'ready';
      readonly file: string;
      readonly argv: readonly string[];
      readonly options: Omit<StartOptions, 'output'>;
    }
  | { readonly kind: 'refused'; readonly reason: string };

/**
 * Starts a recorded program again as it was: argv[0] and all, in its directory, with its environment and MONITOR_RUN_ID, as its
 * user and groups. Only root can make it another user's.
 */
export function planRecorded(record: LaunchRecord, runId: string): StartPlan {
  const { argv, executable, cwd, uid, gid, groups } = record;
  const [argv0 = executable, ...rest] = argv;
  if (!isDirectory(cwd)) return { kind: 'refused', reason: `its working directory ${cwd} is gone` };
  const environment = { ...firstValues(record.environment), MONITOR_RUN_ID: runId };
  const asItself = { kind: 'ready' as const, file: executable, argv: rest, options: { environment, cwd, argv0 } };
  if (uid === process.geteuid?.() && gid === process.getegid?.()) return asItself;
  if (process.geteuid?.() !== 0) return { kind: 'refused', reason: `only root can start it as the user ${uid}:${gid}` };
  // Where its own group is all it was in, the rights are changed between fork and exec, and nothing stands in between.
  if (groups.every((group) => group === gid)) return { ...asItself, options: { ...asItself.options, identity: { uid, gid } } };
  return {
    kind: 'ready',
    file: 'setpriv',
    argv: [
      ...[`--reuid=${uid}`, `--regid=${gid}`, `--groups=${groups.join(',')}`, '--'],
      ...['bash', '-p', '-c', '--', TAKE_ENVIRONMENT, 'bash', argv0, executable, ...rest],
    ],
    options: {
      environment: { ...minimalEnvironment(), MONITOR_RUN_ID: runId },
      cwd,
      // An LD_PRELOAD of that user's must not meet setpriv, which is root still; and an argument anybody could read.
      input: Object.entries(environment)
        .filter(([key]) => isShellVariable(key))
        .map(([key, value]) => `${key}=${value}\0`)
        .join(''),
    },
  };
}

/** Its first lines hand over what was in `input`; a POSIXLY_CORRECT among it must not make a refused name the shell's end. */
const TAKE_ENVIRONMENT = `unset PATH HOME LANG TZ USER LOGNAME PWD SHLVL MONITOR_RUN_ID
while IFS= read -r -d '' entry; do command export -- "$entry"; done 2>/dev/null
export -n entry
exec -a "$1" "$2" "\${@:3}" </dev/null`;

/** What no shell can hold stays behind. */
function isShellVariable(key: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(key) && !['_', 'entry', 'IFS'].includes(key);
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** `KEY=VALUE` each; of several values of one key getenv(3) finds the first. */
function firstValues(environment: readonly string[]): Record<string, string> {
  const values = new Map<string, string>();
  for (const entry of environment) {
    const cut = entry.indexOf('=');
    if (cut > 0 && !values.has(entry.slice(0, cut))) values.set(entry.slice(0, cut), entry.slice(cut + 1));
  }
  return Object.fromEntries(values);
}
