// Stops a program as configured: by stop_command, or by its stop signal.
import process from 'node:process';
import { commandEnvironment, expandCommand } from '../../../core/command-template.ts';
import type { ProcessTable } from '../../../system/proc/table.ts';
import { commandFailure } from '../../../system/spawn/command-result.ts';
import type { RestartAttempt, StrategyParts } from '../../strategy.ts';
import type { ProcessTree } from '../identity/identity.ts';
import type { ProcessOptions } from '../options.ts';
import { type StopResult, stopTrees } from './stop-trees.ts';

/** What stopping a program as configured needs. */
interface StopProgramParts extends Pick<StrategyParts, 'commands' | 'clock' | 'log' | 'services'> {
  readonly table: ProcessTable;
}

/**
 * Stops everything that runs of a program: with `stop_command` if it is set and succeeds, else with `stop_signal`. Never
 * rejects.
 */
export async function stopProgram(
  attempt: RestartAttempt,
  trees: readonly ProcessTree[],
  { stopCommand, stopSignal, stopTimeoutMs, commandTimeoutMs }: ProcessOptions,
  { commands, clock, log, services, table }: StopProgramParts,
): Promise<StopResult> {
  const bySignal = (signal: number | undefined): Promise<StopResult> =>
    stopTrees(trees, signal, stopTimeoutMs, { table, clock, services, ownPid: process.pid }, attempt.signal);
  if (stopCommand === undefined) return bySignal(stopSignal);
  const expanded = expandCommand(stopCommand, attempt.process);
  if (expanded.kind === 'refused') return { kind: 'failed', reason: `stop_command: ${expanded.reason}`, final: true };
  const result = await commands.run(
    {
      line: expanded.line,
      kind: 'action',
      runId: attempt.runId,
      description: `stop_command of ${attempt.process.processName}`,
      environment: commandEnvironment(attempt.process, attempt.attempt),
      timeoutMs: commandTimeoutMs,
    },
    attempt.signal,
  );
  const failure = commandFailure(result);
  if (result.kind === 'aborted' || result.kind === 'not_started') return { kind: 'failed', reason: `stop_command: ${failure}` };
  if (failure === undefined) return bySignal(undefined);
  // A program that hangs mostly fails its own stop_command too: it is stopped nevertheless.
  log.warning(`stop_command of ${attempt.process.processName} failed, stopping it by signal: ${failure}`);
  return bySignal(stopSignal);
}
