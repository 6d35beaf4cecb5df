import { localTimestamp } from '../core/clock.ts';
import { counted } from '../core/text/counted.ts';
import type { Notifier } from '../system/systemd/notify.ts';
import type { Core } from './app.ts';

/** Keeps the line that `systemctl status` shows up to date, from now until the daemon stops. */
export function followStatus(
  core: Pick<Core, 'breakers' | 'clock' | 'events' | 'handler' | 'holds' | 'kept' | 'monitor' | 'settings' | 'stopping'>,
  notifier: Pick<Notifier, 'status'>,
): void {
  let shown = '';
  let isDue = false;
  let due: AbortController | undefined;
  const show = (): void => {
    isDue = false;
    const line = statusLine(core);
    if (line !== shown) notifier.status(line);
    shown = line;
    // With a reason, or each event would make an error with a stack.
    due?.abort('again');
    const waitMs = nextEndMs(core);
    due = undefined;
    if (waitMs === undefined) return;
    due = new AbortController();
    void showAt(waitMs, due.signal);
  };
  /** A hold or breaker that ends by itself emits no event. */
  const showAt = async (waitMs: number, signal: AbortSignal): Promise<void> => {
    await core.clock.sleep(Math.min(waitMs + LATER_MS, LONGEST_WAIT_MS), AbortSignal.any([signal, core.stopping.signal]));
    if (!signal.aborted && !core.stopping.signal.aborted) show();
  };
  core.events.subscribe(() => {
    if (isDue) return;
    isDue = true;
    // Not at once: a recovery that emits its end still counts as under way.
    setImmediate(show);
  });
  show();
}

/** Waits a little past the end itself, and no longer than a timer can be set for. */
const LATER_MS = 50;
const LONGEST_WAIT_MS = 86_400_000;

/**
 * The status line, `observe: 3 in alarm, 1 recovering, 1 held, 1 breaker open, 1 refused, db ok`; counts of zero are left out,
 * except for the first two.
 */
function statusLine(core: Pick<Core, 'breakers' | 'clock' | 'handler' | 'holds' | 'kept' | 'monitor' | 'settings'>): string {
  const { monitor, refusals } = core.settings();
  const kept = core.kept.alarms().length;
  const holds = core.holds.list();
  const held = holds.some(({ name }) => name === null) ? 'all held' : `${holds.length} held`;
  const open = openBreakers(core).length;
  const parts = [
    alarmWords(core),
    ...(kept > 0 ? [`${kept} kept`] : []),
    `${core.handler.recovering} recovering`,
    ...(holds.length > 0 ? [held] : []),
    ...(open > 0 ? [`${counted(open, 'breaker', 'breakers')} open`] : []),
    ...(refusals.size > 0 ? [`${refusals.size} refused`] : []),
    storeWords(core),
  ];
  return `${monitor.mode === 'observe' ? 'observe: ' : ''}${parts.join(', ')}`;
}

function alarmWords({ monitor: { availability } }: Pick<Core, 'monitor'>): string {
  switch (availability.state) {
    case 'ok':
      return `${availability.alarms.length}${availability.leftOut > 0 ? ` and ${availability.leftOut} more` : ''} in alarm`;
    case 'starting':
      return 'alarms unknown';
    case 'unknown':
      return `alarms unknown since ${localTimestamp(availability.since)}`;
    default:
      return availability satisfies never;
  }
}

function storeWords({ monitor: { availability } }: Pick<Core, 'monitor'>): string {
  switch (availability.state) {
    case 'ok':
      return 'db ok';
    case 'starting':
      return 'db not asked yet';
    case 'unknown':
      return availability.fault === 'denied' ? 'db denies access' : 'db away';
    default:
      return availability satisfies never;
  }
}

/** When each open breaker becomes half-open: monotonic milliseconds. */
function openBreakers({ breakers, clock }: Pick<Core, 'breakers' | 'clock'>): number[] {
  const open = [...breakers.list().values()].filter(({ snapshot }) => snapshot.state === 'open');
  return open.map(({ snapshot }) => snapshot.reopenAtMs).filter((atMs) => atMs > clock.monotonicMs());
}

/** Milliseconds until the first hold or open breaker ends by itself; undefined: none will. */
function nextEndMs(core: Pick<Core, 'breakers' | 'clock' | 'holds'>): number | undefined {
  const now = core.clock.date().getTime();
  const holds = core.holds.list().flatMap(({ until }) => (until === null ? [] : [until.getTime() - now]));
  const breakers = openBreakers(core).map((atMs) => atMs - core.clock.monotonicMs());
  const next = Math.min(...holds, ...breakers);
  return Number.isFinite(next) ? Math.max(0, next) : undefined;
}
