// The custom strategy, and restart_command in place of another strategy's own action.
import type { ManagedProcess } from '../core/alarm.ts';
import { commandEnvironment, expandCommand, previewCommand } from '../core/command-template.ts';
import type { RestartPreview } from '../core/outcomes.ts';
import { commandFailure, commandOutput } from '../system/spawn/command-result.ts';
import { cannotLook } from './process/running/found-running.ts';
import {
  meaningOf,
  type RestartAttempt,
  type RestartOutcome,
  type RestartStrategy,
  type StrategyDefinition,
  type StrategyParts,
} from './strategy.ts';
import { serviceName } from './unit/name-policy.ts';

/** The options that the custom strategy reads from `[process.NAME]`. */
interface CustomOptions {
  /** `restart_command`, `%s` not yet expanded. */
  readonly restartCommand: string | undefined;
  /** `command_timeout`; default 60 s. */
  readonly commandTimeoutMs: number;
}

/** What a restart command needs of the strategies' parts. */
type CustomParts = Pick<StrategyParts, 'commands'>;

/** `restart_strategy = custom`: runs `restart_command`; only a health check of the operator's can show whether that helped. */
export const customStrategy = {
  parse: (section) => ({
    restartCommand: section.command('restart_command'),
    commandTimeoutMs: section.secondsAsMs('command_timeout', { default: 60, min: 0.1 }),
  }),
  create: (options: CustomOptions, parts: CustomParts): RestartStrategy => ({
    name: 'custom',
    resolve: async ({ systemName }) => ({
      kind: 'target',
      key: serviceName(systemName),
      description: `restart_command of ${systemName}`,
    }),
    checkHealth: async () => ({ kind: 'assumed' }),
    ...restartCommandActions(options, parts),
  }),
} satisfies StrategyDefinition<CustomOptions>;

/** `strategy` with `restart_command` in place of its own action: it still says what the target is and whether it is healthy. */
export function withRestartCommand(strategy: RestartStrategy, options: CustomOptions, parts: CustomParts): RestartStrategy {
  return {
    name: strategy.name,
    resolve: (process, signal) => strategy.resolve(process, signal),
    checkHealth: (process, timeoutMs, signal) => strategy.checkHealth(process, timeoutMs, signal),
    means: (process, signal) => meaningOf(strategy, process, signal),
    alsoStarts: async (process, signal) => (await strategy.alsoStarts?.(process, signal)) ?? { kind: 'known', units: [] },
    explain: async (process, signal) => (await strategy.explain?.(process, signal)) ?? { reason: undefined, output: [] },
    life: async (process, signal) => strategy.life?.(process, signal),
    marks: (process) => strategy.marks?.(process) ?? {},
    findRunning: async (process, signal, look) => (await strategy.findRunning?.(process, signal, look)) ?? cannotLook,
    supervisor: (process) => strategy.supervisor?.(process),
    observeUnit: async (process, signal) => strategy.observeUnit?.(process, signal),
    ...restartCommandActions(options, parts),
  };
}

function restartCommandActions(options: CustomOptions, parts: CustomParts): Pick<RestartStrategy, 'restart' | 'preview'> {
  return {
    restart: (attempt) => runRestartCommand(options, parts, attempt),
    preview: async (process) => previewRestartCommand(options, process),
  };
}

async function runRestartCommand(
  { restartCommand, commandTimeoutMs }: CustomOptions,
  { commands }: CustomParts,
  { process, attempt, runId, signal }: RestartAttempt,
): Promise<RestartOutcome> {
  if (restartCommand === undefined) return { kind: 'failed', reason: NO_COMMAND, final: true };
  const expanded = expandCommand(restartCommand, process);
  if (expanded.kind === 'refused') return { kind: 'failed', reason: `restart_command: ${expanded.reason}`, final: true };
  const result = await commands.run(
    {
      line: expanded.line,
      kind: 'action',
      runId,
      description: `restart_command of ${process.processName}`,
      environment: commandEnvironment(process, attempt),
      timeoutMs: commandTimeoutMs,
    },
    signal,
  );
  const failure = commandFailure(result);
  return failure === undefined
    ? { kind: 'restarted', detail: 'restart_command ended with exit code 0' }
    : { kind: 'failed', reason: `restart_command: ${failure}`, ...commandOutput(result) };
}

function previewRestartCommand({ restartCommand, commandTimeoutMs }: CustomOptions, process: ManagedProcess): RestartPreview {
  if (restartCommand === undefined) return { stops: [], starts: [], refusals: [NO_COMMAND] };
  const preview = previewCommand('restart_command', restartCommand, process, commandTimeoutMs);
  return { ...preview, stops: [], starts: preview.commands.map(({ key, line }) => `${key}: ${line}`) };
}

const NO_COMMAND = 'restart_command is not set in the section of the process';
