// What every run of a command needs.

import { minimalEnvironment } from '../spawn/minimal-environment.ts';
import { asUser } from '../spawn/user-account.ts';
import { isRunId, type ShellCommand } from './runner.ts';

/** What a run needs, whether through PID 1 or directly, or why it cannot run. */
type ReadyRun =
  | {
      readonly kind: 'ready';
      /** The whole environment, without anything of our own. */
      readonly environment: Readonly<Record<string, string>>;
      /** The command before the shell that makes it another user's (setpriv(1)); empty if it is ours. */
      readonly prefix: readonly string[];
      /** The user that it runs as; undefined for our own. */
      readonly uid: number | undefined;
    }
  | { readonly kind: 'not_started'; readonly reason: string }
  | { readonly kind: 'aborted'; readonly output: '' };

/** Looks up the command's user and builds its environment. Never rejects. */
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
