// How exits and new processes are detected on this machine, for people.
import { configuredSeconds } from '../../core/text/duration.ts';
import { canWatchByPidfd } from '../../system/proc/pid-watch.ts';

/** How exits and new processes are detected. */
interface ExitMeans {
  readonly byPidfd: boolean;
  /** Number of processes that are polled nevertheless, because file descriptors ran out. */
  readonly looked: number;
  /** The kernel's process events report new processes. */
  readonly hasEvents: boolean;
}

/** How they are detected here, with the kernel's process events or without. */
export function exitMeans(hasEvents: boolean): ExitMeans {
  return { byPidfd: canWatchByPidfd(), looked: 0, hasEvents };
}

/** How they are detected, in one line, for people. */
export function describeMeans({ byPidfd, looked, hasEvents }: ExitMeans): string {
  const ends = byPidfd ? `pidfd${looked > 0 ? ` (${looked} by ${LOOKS}: too few file descriptors)` : ''}` : LOOKS;
  return `exits by ${ends}, new processes by ${hasEvents ? 'the process events of the kernel' : `a look every ${configuredSeconds(NEW_PROCESSES_LOOK_MS)}`}`;
}

/** Time between two looks for new processes if no events report them. */
export const NEW_PROCESSES_LOOK_MS = 2000;
const LOOKS = 'a look every 0.25 s';
