import type { ServiceManager, UnitStatus } from '../service-manager.ts';

/**
 * What systemd is doing with a unit that is neither up nor at rest. Times are in milliseconds of CLOCK_MONOTONIC. Source:
 * org.freedesktop.systemd1(5), `ActiveState`, `SubState`.
 */
export type UnitTransit =
  /** `sinceMs`: 0 if that is not known. */
  | { readonly kind: 'starting' | 'stopping'; readonly unit: string; readonly sinceMs: number }
  /** The unit is down, and its job has not begun. */
  | { readonly kind: 'queued'; readonly unit: string }
  /**
   * The unit has ended (`result`, `exit-code`), and systemd starts it again at `dueMs`: Infinity if never, undefined if that is
   * not known.
   */
  | { readonly kind: 'ended'; readonly unit: string; readonly result: string; readonly dueMs: number | undefined };

/** Returns what systemd is doing with a unit in this state; undefined if nothing is under way. Never rejects. */
export async function transitOf(
  services: Pick<ServiceManager, 'restartDue'>,
  { id, type, activeState, subState, result, mainPid, hasJob, remainsAfterExit, changedMs }: UnitStatus,
  signal: AbortSignal,
): Promise<UnitTransit | undefined> {
  switch (activeState) {
    case 'activating': {
      if (subState.startsWith('auto-restart')) {
        const due = await services.restartDue(id, signal);
        return { kind: 'ended', unit: id, result, dueMs: due.kind === 'known' ? due.dueMs : undefined };
      }
      // A service that does its work and ends is never more up than that.
      if (type === 'oneshot' && !remainsAfterExit && mainPid > 0) return undefined;
      return { kind: 'starting', unit: id, sinceMs: changedMs };
    }
    case 'deactivating':
      return { kind: 'stopping', unit: id, sinceMs: changedMs };
    case 'inactive':
    case 'failed':
      return hasJob ? { kind: 'queued', unit: id } : undefined;
    default:
      return undefined;
  }
}
