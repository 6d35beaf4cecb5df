// The daemon's clock, time limits, and timestamps for people.
/** Time as the daemon sees it. Tests replace it; no decision reads another clock. */
export interface Clock {
  /** Milliseconds of CLOCK_MONOTONIC: never goes back, the same for all processes of one boot, meaningless across boots. */
  monotonicMs(): number;
  /** The wall clock, for times that people read. */
  date(): Date;
  /** Resolves after `ms` milliseconds, or at once when `signal` aborts. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The real clock (clock_gettime(2)). */
export const systemClock: Clock = {
  monotonicMs: () => Number(process.hrtime.bigint() / 1000n) / 1000,
  date: () => new Date(),
  // Not the one of node:timers/promises, which creates an error with a stack at each wake-up.
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, Math.min(Math.max(ms, 0), MAX_TIMER_MS));
      signal?.addEventListener('abort', end, { once: true });
      if (signal?.aborted) end();
    }),
};

/** The longest time in milliseconds that setTimeout can wait; with more it fires at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * The result of `work`; `late` if that takes longer than `ms` milliseconds, or if `signal` aborts first. Then the work
 * continues, and its result is ignored.
 */
export async function soon<T>(clock: Clock, ms: number, work: Promise<T>, signal?: AbortSignal): Promise<T | 'late'> {
  const ended = new AbortController();
  const limit = signal === undefined ? ended.signal : AbortSignal.any([ended.signal, signal]);
  work.catch(() => {});
  try {
    return await Promise.race([work, clock.sleep(ms, limit).then(() => 'late' as const)]);
  } finally {
    ended.abort('ended');
  }
}

/**
 * `YYYY-MM-DD HH:MM:SS` in local time, as date(1) and the bash service write it: for every time that a person reads, in log
 * lines, in notes and on the command line. Programs read ISO 8601 in UTC.
 */
export function localTimestamp(date: Date): string {
  const two = (n: number): string => String(n).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/**
 * The same with its offset from UTC, as RFC 5322 and date(1) write it: `2026-11-26 22:08:07 +0100`. For readers who may live in
 * another zone.
 */
export function zonedTimestamp(date: Date): string {
  const minutes = -date.getTimezoneOffset();
  const two = (n: number): string => String(n).padStart(2, '0');
  const offset = `${two(Math.floor(Math.abs(minutes) / 60))}${two(Math.abs(minutes) % 60)}`;
  return `${localTimestamp(date)} ${minutes < 0 ? '-' : '+'}${offset}`;
}
