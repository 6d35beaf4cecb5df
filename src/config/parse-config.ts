// Parses `[monitor]`, and the keys of `[process.NAME]` that belong to the recovery itself.
import { isAbsolute } from 'node:path';
import type { MonitorSettings, RecoverySettings, SectionReader } from '../core/config.ts';
import { DECIMAL } from './section-reader.ts';
import { shownText } from './shown-value.ts';

/** Reads `[monitor]`. Problems go to the reader; `env` is the daemon's environment (`STATE_DIRECTORY`, systemd.exec(5)). */
export function parseMonitorSettings(section: SectionReader, env: NodeJS.ProcessEnv = process.env): MonitorSettings {
  return {
    checkIntervalMs: section.secondsAsMs('check_interval', { default: 300, min: 0.1 }),
    maxRestartFailures: section.integer('max_restart_failures', { default: 3, min: 1, max: 1_000_000 }),
    circuitResetTimeMs: section.secondsAsMs('circuit_reset_time', { default: 1800, max: YEAR_S }),
    flapRecoveries: section.integer('flap_recoveries', { default: 10, max: 10_000 }),
    flapWindowMs: section.secondsAsMs('flap_window', { default: 3600, min: 1, max: YEAR_S }),
    maxExits: section.integer('max_exits', { default: 5, max: 10_000 }),
    exitWindowMs: section.secondsAsMs('exit_window', { default: 300, min: 1, max: YEAR_S }),
    maxConcurrentRestarts: section.integer('max_concurrent_restarts', { default: 4, min: 1, max: 1000 }),
    onlyConfigured: section.boolean('only_configured', false),
    requirePin: section.boolean('require_pin', false),
    mode: section.choice('mode', ['act', 'observe'], 'act'),
    clearAlarm: section.boolean('clear_alarm', true),
    stateDir: parseStateDir(section, env),
  };
}

/** `state_dir`; a problem goes to the reader. */
export function parseStateDir(section: SectionReader, env: Readonly<Record<string, string | undefined>>): string {
  return absolutePath(section, 'state_dir') ?? defaultStateDir(env);
}

/** The state directory if `state_dir` is not set. */
export function defaultStateDir(env: Readonly<Record<string, string | undefined>>): string {
  return env.STATE_DIRECTORY?.split(':')[0] || DEFAULT_STATE_DIR;
}

/** The default unless the unit's environment names another directory, which its StateDirectory= creates. */
export const DEFAULT_STATE_DIR = '/var/lib/monitor_service';

const YEAR_S = 31_536_000;

/**
 * Reads the keys of `[process.NAME]` that belong to no strategy and no health check; problems go to the reader. A process that
 * is named in its own `depends_on` is left out: in an inherited list this is intended, otherwise checkDependencies reports it.
 */
export function parseRecoverySettings(section: SectionReader): RecoverySettings {
  const ownName = section.section.replace(/^process\./, '');
  return {
    systemName: section.text('system_name'),
    preRestartCommand: section.command('pre_restart_command'),
    commandTimeoutMs: section.secondsAsMs('command_timeout', { default: 60, min: 0.1 }),
    healthCheckTimeoutMs: section.secondsAsMs('health_check_timeout', { default: 5, min: 0.1 }),
    stableTimeMs: section.secondsAsMs('stable_time', { default: 1, max: 3600 }),
    restartDelayMs: section.secondsAsMs('restart_delay', { default: 2 }),
    maxAttempts: section.integer('max_attempts', { default: 2, min: 1, max: 1000 }),
    useBackoff: section.boolean('use_backoff', false),
    backoffMultiplier: factor(section, 'backoff_multiplier', 2),
    maxDelayMs: section.text('max_delay') === undefined ? undefined : section.secondsAsMs('max_delay', { default: 0 }),
    priority: section.integer('priority', { default: 0, min: -1_000_000, max: 1_000_000 }),
    dependsOn: parseDependsOn(section).filter((name) => name !== ownName),
  };
}

function absolutePath(section: SectionReader, key: string): string | undefined {
  const path = section.text(key);
  if (path === undefined || isAbsolute(path)) return path;
  section.problem(key, `invalid value "${shownText(path, 60)}", expected an absolute path`);
  return undefined;
}

function factor(section: SectionReader, key: string, fallback: number): number {
  const text = section.text(key);
  if (text === undefined) return fallback;
  const value = DECIMAL.test(text) ? Number(text) : Number.NaN;
  if (value >= 1 && value <= 100) return value;
  section.problem(key, `invalid value "${shownText(text, 60)}", expected a number (1 to 100)`);
  return fallback;
}

/** Reads `depends_on`, at most 100 names, each once; problems go to the reader. */
export function parseDependsOn(section: SectionReader): string[] {
  const names = [...new Set(section.list('depends_on'))];
  if (names.length <= MAX_DEPENDENCIES) return names;
  section.problem('depends_on', `invalid value (${names.length} names), expected at most ${MAX_DEPENDENCIES} names`);
  return [];
}

const MAX_DEPENDENCIES = 100;
