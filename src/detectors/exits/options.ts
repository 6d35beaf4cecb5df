import type { SectionReader } from '../../core/config.ts';

/** What `[process.NAME]` says about whether the process has to run. */
export interface RunningWatch {
  /** `watch_exit`: its end raises its alarm; default false, true with `ensure_running`. */
  readonly watched: boolean;
  /**
   * `boot_grace`, with `ensure_running`: how long it may take to run after a start or reload; undefined: it does not have to.
   */
  readonly bootGraceMs: number | undefined;
}

/**
 * Reads `watch_exit`, `ensure_running` and `boot_grace` (default 30 s, at most a day). `stands`: whether a key is in exactly that
 * section.
 */
export function parseRunningWatch(section: SectionReader, stands: (key: string) => boolean): RunningWatch {
  const watchExit = section.boolean('watch_exit', false);
  const ensured = section.boolean('ensure_running', false);
  const graceMs = section.secondsAsMs('boot_grace', { default: 30, max: DAY_S });
  if (ensured && !watchExit && stands('watch_exit'))
    section.warning('watch_exit', 'has no effect: ensure_running = true includes watch_exit');
  return { watched: watchExit || ensured, bootGraceMs: ensured ? graceMs : undefined };
}

const DAY_S = 86_400;
