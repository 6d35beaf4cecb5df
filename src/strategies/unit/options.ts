import { DEFAULT_SECTION, type SectionReader } from '../../core/config.ts';

/** The options that the service strategy reads from `[process.NAME]`. */
export interface ServiceOptions {
  /** The process has a section of its own: the system's own services may be restarted. */
  readonly hasOwnSection: boolean;
  /**
   * `command_timeout`: limit of a restart, and of waiting for systemd's own; a unit that hangs gets as much again; default 60
   * s.
   */
  readonly commandTimeoutMs: number;
  /** `health_check_timeout`; default 5 s. */
  readonly healthCheckTimeoutMs: number;
  /** `stable_time`: how long a unit must stay active to be healthy; default 1 s, 0: one look is enough. */
  readonly stableTimeMs: number;
}

/** Reads the keys; reports problems to the reader. */
export function parseServiceOptions(section: SectionReader): ServiceOptions {
  return {
    hasOwnSection: section.section !== DEFAULT_SECTION,
    commandTimeoutMs: section.secondsAsMs('command_timeout', { default: 60, min: 0.1 }),
    healthCheckTimeoutMs: section.secondsAsMs('health_check_timeout', { default: 5, min: 0.1 }),
    stableTimeMs: section.secondsAsMs('stable_time', { default: 1, max: 3600 }),
  };
}
