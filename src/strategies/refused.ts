import type { RestartStrategy, StrategyName } from './strategy.ts';

/**
 * The strategy of a process whose own section contains an error: it looks at nothing and does nothing, because it is not known
 * what was meant. `errors`: all of them, one line each; the first is the reason given. `name`: the strategy that the section
 * asks for, as far as it can be read.
 */
export function refusedStrategy(name: StrategyName, errors: readonly [string, ...string[]]): RestartStrategy {
  const [reason] = errors;
  return {
    name,
    resolve: async () => ({ kind: 'refused', reason }),
    restart: async () => ({ kind: 'failed', reason, final: true }),
    // Not `assumed`, which would clear an alarm.
    checkHealth: async () => ({ kind: 'unhealthy', reason }),
    preview: async () => ({ stops: [], starts: [], refusals: errors }),
    launchesNow: async () => ({ kind: 'refused', reason }),
  };
}
