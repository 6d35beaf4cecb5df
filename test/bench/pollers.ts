import { EventBus } from '../../src/core/events.ts';
import { createMonitor, type MonitorGraph } from '../../src/monitor/create-monitor.ts';
import type { MonitorConfig } from '../../src/monitor/current-config.ts';
import type { AlarmStore } from '../../src/stores/store.ts';
import type { CommandRunner } from '../../src/system/runs/runner.ts';
import { FakeClock } from '../helpers/fake-clock.ts';
import { memoryState } from '../helpers/memory-state.ts';
import type { BenchPart } from './bench-world.ts';

/** How evenly the polls of many daemons fall after a stall of their database. */
export const pollers: BenchPart = async (_, tell) => {
  tell('400 pollers through a freeze');
  const { share } = await busiestShare(400, 5000);
  return [
    {
      what: `busiest 100 ms of 400 pollers, ${INTERVALS_AFTER} intervals after a freeze`,
      value: share,
      unit: 'times',
      against: `the even share, at most ${MOST_SHARE.toFixed(2)}`,
      reached: share <= MOST_SHARE,
    },
  ];
};

const MOST_SHARE = 3;

/** How long the database stands still, and how many intervals after that are let pass before it is looked. */
const FREEZE_MS = 8000;
const INTERVALS_AFTER = 6;
const SLOT_MS = 100;

/**
 * So many daemons poll one database on a clock of the test's own; it stands still once and answers all of them at the same moment. Six
 * intervals later: how many of an interval's polls, `polls`, fall into its busiest 100 ms, as a multiple of the even share.
 */
export async function busiestShare(daemons: number, intervalMs: number): Promise<{ share: number; polls: number }> {
  const clock = new FakeClock();
  const startMs = clock.monotonicMs();
  const frozenFromMs = startMs + 4 * intervalMs;
  const pollsMs: number[] = [];
  const stopping = new AbortController();
  const readAlarms: AlarmStore['readAlarms'] = async () => {
    const nowMs = clock.monotonicMs();
    pollsMs.push(nowMs);
    if (nowMs >= frozenFromMs && nowMs < frozenFromMs + FREEZE_MS) await clock.sleep(frozenFromMs + FREEZE_MS - nowMs);
    return { rows: [], leftOut: 0, doubtful: [], remarks: [] };
  };
  const loops: Promise<void>[] = [];
  for (let i = 0; i < daemons; i++) {
    // Machines start when they start.
    loops.push(
      clock
        .sleep(Math.random() * intervalMs)
        .then(() => poller(clock, readAlarms, stopping.signal, intervalMs).run(stopping.signal)),
    );
  }
  const fromMs = frozenFromMs + FREEZE_MS + INTERVALS_AFTER * intervalMs;
  await clock.until(() => clock.monotonicMs() > fromMs + intervalMs);
  stopping.abort();
  await Promise.all(loops);
  const slots = new Map<number, number>();
  const window = pollsMs.filter((at) => at >= fromMs && at < fromMs + intervalMs);
  for (const at of window)
    slots.set(Math.floor((at - fromMs) / SLOT_MS), (slots.get(Math.floor((at - fromMs) / SLOT_MS)) ?? 0) + 1);
  return { share: Math.max(...slots.values()) / (daemons / (intervalMs / SLOT_MS)), polls: window.length };
}

/** A monitor that finds nothing in alarm, ever. */
function poller(
  clock: FakeClock,
  readAlarms: AlarmStore['readAlarms'],
  stopping: AbortSignal,
  checkIntervalMs: number,
): MonitorGraph['monitor'] {
  const nothing = (): undefined => undefined;
  const store = { description: 'simulated', readAlarms } as AlarmStore;
  const current = { monitor: { checkIntervalMs, clearAlarm: true }, processNames: [], plans: nothing, store };
  return createMonitor({
    config: { current: () => current as unknown as MonitorConfig },
    state: memoryState(),
    commands: {} as CommandRunner,
    follower: { afterRecovery: nothing },
    clock,
    events: new EventBus(clock, nothing),
    log: { debug: nothing, info: nothing, warning: nothing, error: nothing },
    stopping,
    abort: stopping,
    onHeartbeat: nothing,
    heartbeatMs: 3_600_000,
  }).monitor;
}
