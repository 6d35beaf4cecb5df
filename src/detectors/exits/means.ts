import { configuredSeconds } from '../../core/text/duration.ts';
import { canWatchByPidfd } from '../../system/proc/pid-watch.ts';

/** By which means ends and beginnings are noticed. */
export interface ExitMeans {
  readonly byPidfd: boolean;
  /** Processes that are looked at nevertheless, for want of descriptors. */
  readonly looked: number;
  /** The kernel's process events tell of new ones. */
  readonly told: boolean;
}

/** What there is here, of a kernel whose process events can be had (`told`) or not. */
export function exitMeans(told: boolean): ExitMeans {
  return { byPidfd: canWatchByPidfd(), looked: 0, told };
}

/** The means in one line, for people. */
export function describeMeans({ byPidfd, looked, told }: ExitMeans): string {
  const ends = byPidfd ? `pidfd${looked > 0 ? ` (${looked} by ${LOOKS}: too few file descriptors)` : ''}` : LOOKS;
  return `exits by ${ends}, new processes by ${told ? 'the process events of the kernel' : `a look every ${configuredSeconds(NEWCOMERS_LOOK_MS)}`}`;
}

/** Between two looks for new processes, where nobody tells of them. */
export const NEWCOMERS_LOOK_MS = 2000;
const LOOKS = 'a look every 0.25 s';
