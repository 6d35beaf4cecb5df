import type { RestartStrategy, StrategyName } from './strategy.ts';

/**
 * The strategy of a process whose own section holds an error: it looks at nothing and does nothing, for what is meant is not known.
 * `errors`: all of them, each one line; the first is the reason given. `name`: what the section asks for, as far as it can be read.
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
