import { minimalEnvironment } from '../spawn/minimal-environment.ts';
import { asUser } from '../spawn/user-account.ts';
import { isRunId, type ShellCommand } from './runner.ts';

/** What a run needs whichever way it goes; or why there will be none. */
type ReadyRun =
  | {
      readonly kind: 'ready';
      /** All of it, and nothing of our own. */
      readonly environment: Readonly<Record<string, string>>;
      /** What stands before the shell for it to be another user's (setpriv(1)); empty where it is ours. */
      readonly prefix: readonly string[];
      /** Whose it will be; undefined for ourselves. */
      readonly uid: number | undefined;
    }
  | { readonly kind: 'not_started'; readonly reason: string }
  | { readonly kind: 'aborted'; readonly output: '' };

/** Looks up the command's user, and puts its environment together. Never rejects. */
export async function readyRun({ runId, user: name, environment }: ShellCommand, signal: AbortSignal): Promise<ReadyRun> {
  if (!isRunId(runId)) return { kind: 'not_started', reason: 'its run id is malformed' };
  const user = await asUser(name, signal);
  if (signal.aborted) return { kind: 'aborted', output: '' };
  if (user.kind === 'refused') return { kind: 'not_started', reason: user.reason };
  return {
    kind: 'ready',
    environment: { ...minimalEnvironment(), ...user.environment, ...environment, MONITOR_RUN_ID: runId },
    prefix: user.prefix,
    uid: user.uid,
  };
}
