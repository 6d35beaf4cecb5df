import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../../../../src/core/clock.ts';
import type { MonitorEvent } from '../../../../src/core/events.ts';
import type { ProcessEvent } from '../../../../src/core/process/event.ts';
import { type ExitWatchTarget, ProcessExitDetector, type ProcessExitParts } from '../../../../src/detectors/exits/detector.ts';
import { WatchedPids } from '../../../../src/detectors/exits/watch/pids.ts';
import type { UnitStatus } from '../../../../src/system/systemd/service-manager.ts';
import { endOf, noUnit } from '../../../helpers/fake-systemd.ts';
import { managed, processStrategyWorld } from '../../../helpers/process-strategy-world.ts';
import { quietDetectorParts } from '../../../helpers/quiet-detector-parts.ts';
import { never } from '../../../helpers/strategy-parts.ts';
import { waitFor } from '../../../helpers/wait-for.ts';

/** Of this run alone: processes are found by their names, whoever else tests on this machine. */
const name = (what: string): string => `${what}-${process.pid}`;

/** A detector over real programs of a zoo; `alarms` as they were raised, `told` as the events said. */
function detecting(
  t: TestContext,
  names: readonly string[],
  changes: Partial<ProcessExitParts> = {},
  former?: ExitWatchTarget['former'],
) {
  const { zoo, table, strategy, parts } = processStrategyWorld(t);
  const quiet = quietDetectorParts();
  const { events } = quiet;
  const told: MonitorEvent[] = [];
  events.subscribe((event) => void told.push(event));
  const alarms: string[] = [];
  const program = strategy({ maxMatches: 9 });
  const target = (systemName: string): ExitWatchTarget => ({
    name: systemName,
    systemName,
    ...(former && { former }),
    find: (signal) => program.findRunning(managed(systemName), signal),
  });
  let watched = names;
  const detector = new ProcessExitDetector({
    ...quiet,
    table,
    services: parts.services,
    clock: systemClock,
    raiser: { raise: async (processName, notes) => void alarms.push(`${processName}: ${notes}`) },
    targets: () => watched.map(target),
    lookMs: 50,
    ...changes,
  });
  t.after(() => detector.stop());
  const of = (type: 'process_seen' | 'process_exited') =>
    told.flatMap((event) => (event.type === type && 'pid' in event ? [event] : []));
  return {
    zoo,
    events,
    detector,
    alarms,
    exits: () => of('process_exited').map((event) => 'expected' in event && event.expected),
    ours: () => of('process_exited').map((event) => 'ours' in event && event.ours),
    seen: () => of('process_seen').map((event) => 'pid' in event && event.pid),
    watch: (next: readonly string[]) => {
      watched = next;
      detector.reconfigure();
    },
  };
}

/** Ends one, and waits until it has. */
async function kill(pid: number, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  process.kill(pid, signal);
}

test('the last of several raises the alarm, and each new life is reported', async (t) => {
  const { zoo, detector, alarms, seen, exits } = detecting(t, [name('several')]);
  const program = zoo.sleeper(name('several'));
  const first = await zoo.start(program);
  const second = await zoo.start(program);
  detector.start();
  await waitFor('it is seen', () => seen().length === 1);
  await kill(first);
  await waitFor('one is gone', () => zoo.dir && !isRunning(first));
  assert.deepEqual(alarms, []);
  await kill(second, 'SIGSEGV');
  await waitFor('an alarm', () => alarms.length === 1);
  assert.match(
    alarms[0] ?? '',
    new RegExp(`^${name('several')}: signal SIGSEGV( \\(core dumped\\))? \\(pid ${second}, up [\\d.]+ s, `),
  );
  assert.deepEqual(exits(), [false]);
  const third = await zoo.start(program);
  await waitFor('its new life is told of', () => seen().includes(third));
  await kill(third);
  await waitFor('another alarm', () => alarms.length === 2);
});

test('one that comes while the first still runs takes over from it', async (t) => {
  const { zoo, detector, alarms, seen } = detecting(t, [name('heir')]);
  const program = zoo.sleeper(name('heir'));
  const first = await zoo.start(program);
  detector.start();
  await waitFor('it is seen', () => seen().includes(first));
  const heir = await zoo.start(program);
  await kill(first);
  await waitFor('the heir is seen', () => seen().includes(heir));
  assert.deepEqual(alarms, []);
  await kill(heir);
  await waitFor('an alarm', () => alarms.length === 1);
});

test('what ends while a recovery is under way raises nothing', async (t) => {
  let recovering = true;
  const { zoo, detector, alarms, seen, exits, ours } = detecting(t, [name('own')], { isRecovering: () => recovering });
  const program = zoo.sleeper(name('own'));
  const first = await zoo.start(program);
  detector.start();
  await waitFor('it is seen', () => seen().includes(first));
  await kill(first);
  await waitFor('its end is told of', () => exits().length === 1);
  assert.deepEqual(exits(), [true]);
  // No alarm, and yet nobody has stopped it on purpose.
  assert.deepEqual(ours(), [true]);
  recovering = false;
  const second = await zoo.start(program);
  await waitFor('its successor is seen', () => seen().includes(second));
  assert.deepEqual(alarms, []);
  await kill(second);
  await waitFor('an alarm', () => alarms.length === 1);
});

test('what ended while a recovery was under way was ended by it, also if that is over when it is judged', async (t) => {
  let asked = 0;
  const isRecovering = (): boolean => asked++ === 0;
  const { zoo, detector, seen, exits, ours } = detecting(t, [name('over')], { isRecovering });
  const pid = await zoo.start(zoo.sleeper(name('over')));
  detector.start();
  await waitFor('it is seen', () => seen().includes(pid));
  asked = 0;
  await kill(pid);
  await waitFor('its end is told of', () => exits().length === 1);
  assert.deepEqual([exits(), ours()], [[false], [true]]);
});

test('what is watched changes at once', async (t) => {
  const { zoo, detector, alarms, seen, watch } = detecting(t, [name('old')]);
  const [old, young] = [await zoo.start(zoo.sleeper(name('old'))), await zoo.start(zoo.sleeper(name('new')))];
  detector.start();
  await waitFor('the one is seen', () => seen().includes(old));
  watch([name('new')]);
  await waitFor('the other is seen', () => seen().includes(young));
  await kill(old);
  await kill(young);
  await waitFor('an alarm', () => alarms.length > 0);
  assert.match(alarms.join(), new RegExp(`^${name('new')}: signal SIGKILL [^,]*, [^,]*, [^,]*$`));
});

test('an end is reported when its alarm is stored, so that none is forgotten, and before it is handled', async (t) => {
  const toldAtRaise: number[] = [];
  const dealtWith = Promise.withResolvers<void>();
  t.after(() => dealtWith.resolve());
  const raiser = {
    raise: () => {
      toldAtRaise.push(exits().length);
      return dealtWith.promise;
    },
  };
  const { zoo, detector, seen, exits } = detecting(t, [name('order')], { raiser });
  const pid = await zoo.start(zoo.sleeper(name('order')));
  detector.start();
  await waitFor('it is seen', () => seen().includes(pid));
  await kill(pid);
  await waitFor('its end is told of', () => exits().length === 1);
  assert.deepEqual([toldAtRaise, exits()], [[0], [false]]);
});

test('what ran before and does not now has ended unseen; what still runs has not', async (t) => {
  const former = { pid: 2 ** 22 - 1, since: new Date(), unit: undefined };
  const { zoo, detector, alarms, seen, exits } = detecting(t, [name('unseen'), name('runs')], {}, former);
  const pid = await zoo.start(zoo.sleeper(name('runs')));
  detector.start();
  await waitFor('an alarm', () => alarms.length === 1);
  await waitFor('the other is seen', () => seen().includes(pid));
  assert.match(
    alarms[0] ?? '',
    new RegExp(`^${name('unseen')}: ended while monitor_service was not running \\(pid ${former.pid}, noticed [\\d: -]+\\)$`),
  );
  assert.deepEqual(exits(), [false]);
});

test('what does not run after its recovery is reported as that, and not as the death before', async (t) => {
  const { zoo, detector, alarms, seen, exits } = detecting(t, [name('again')]);
  const pid = await zoo.start(zoo.sleeper(name('again')));
  detector.start();
  await waitFor('it is seen', () => seen().includes(pid));
  await kill(pid);
  await waitFor('an alarm', () => alarms.length === 1);
  detector.afterRecovery(name('again'), name('again'), true);
  await waitFor('another alarm', () => alarms.length === 2);
  assert.match(alarms[0] ?? '', /: signal SIGKILL \(pid /);
  assert.match(alarms[1] ?? '', /: does not run after its recovery \(noticed [\d: -]+\)$/);
  assert.deepEqual(exits(), [false, false]);
});

test('what an operator stopped by its unit while nobody watched raises nothing', async (t) => {
  const services = unitStands(() => ({ activeState: 'inactive' }));
  const former = { pid: 2 ** 22 - 1, since: new Date(), unit: UNIT.id };
  const { detector, alarms, exits } = detecting(t, [name('maintained')], { services }, former);
  detector.start();
  await waitFor('its end is told of', () => exits().length === 1);
  assert.deepEqual([exits(), alarms], [[true], []]);
});

test('whose an event is, is known without asking each of them', async (t) => {
  const { zoo, detector, alarms, seen, watch } = detecting(t, [name('whose')]);
  const program = zoo.sleeper(name('whose'));
  const first = await zoo.start(program);
  detector.start();
  await waitFor('it is seen', () => seen().includes(first));
  assert.deepEqual([detector.nameOf(first), detector.nameOf(process.pid)], [name('whose'), undefined]);
  await kill(first);
  await waitFor('an alarm', () => alarms.length === 1);
  assert.equal(detector.nameOf(first), name('whose'), 'its last events may still come');
  const second = await zoo.start(program);
  await waitFor('its successor is seen', () => seen().includes(second));
  watch([]);
  assert.deepEqual([detector.nameOf(first), detector.nameOf(second)], [undefined, undefined]);
});

test('process events report a new life, and what is lost', async (t) => {
  let tell: (events: readonly ProcessEvent[]) => void = () => {};
  const source: ProcessExitParts['source'] = {
    subscribe: async (listener) => {
      tell = listener;
      return { kind: 'open', isFirst: true, end: () => {} };
    },
    counters: () => ({ received: 0, lost: 0 }),
    close: () => {},
  };
  // Looks of its own would come too late.
  const { zoo, detector, alarms, seen } = detecting(t, [name('told')], { source, lookMs: 60_000 });
  const program = zoo.sleeper(name('told'));
  detector.start();
  await waitFor('the events are there', () => /the process events of the kernel/.test(detector.describe()));
  const first = await zoo.start(program);
  tell([{ type: 'exec', at: 0, pid: first }]);
  await waitFor('it is seen', () => seen().includes(first));
  await kill(first);
  await waitFor('an alarm', () => alarms.length === 1);
  const second = await zoo.start(program);
  tell([{ type: 'lost', at: 0, count: 1 }]);
  await waitFor('the next is seen', () => seen().includes(second));
});

test('the end of a process does not count for another one that gets its pid', () => {
  const pids = new WatchedPids();
  pids.ended(7, 9);
  assert.equal(pids.statusOf(7), undefined, 'it is nobody’s');
  pids.add(7, 'web');
  pids.add(7, 'site');
  pids.ended(7, 9);
  pids.remove(7, 'site');
  assert.deepEqual([pids.statusOf(7), pids.nameOf(7)], [9, 'web']);
  pids.add(7, 'web');
  assert.equal(pids.statusOf(7), undefined);
  pids.ended(7, 256);
  pids.remove(7, 'web');
  assert.deepEqual([pids.statusOf(7), pids.nameOf(7)], [undefined, undefined]);
});

test('a program whose unit was stopped raises nothing; one whose unit failed does, whatever it was meanwhile', async (t) => {
  const states = [{ activeState: 'deactivating' }, { activeState: 'inactive', result: 'success' }];
  let shows = 0;
  const services: ProcessExitParts['services'] = {
    ...unitStands(() => states.at(-1) ?? {}),
    show: async () => ({ kind: 'status', status: { ...UNIT, ...states[Math.min(shows++, states.length - 1)] } }),
  };
  const targets = [inUnit(t, 'unit')];
  const { zoo, detector, alarms, seen, exits, watch } = detecting(t, [], { services, targets: () => targets });
  const program = zoo.sleeper(name('unit'));
  const first = await zoo.start(program);
  detector.start();
  await waitFor('it is seen', () => seen().includes(first));
  await kill(first);
  await waitFor('its end is told of', () => exits().length === 1);
  assert.deepEqual([exits(), alarms, shows >= 2], [[true], [], true]);
  states.splice(0, 2, { activeState: 'failed', result: 'signal' });
  const second = await zoo.start(program);
  await waitFor('its successor is seen', () => seen().includes(second));
  await kill(second);
  await waitFor('an alarm', () => alarms.length === 1);
  watch([]);
});

test('what systemd reports about its unit is examined at once: a new life, and a verdict that was waited for', async (t) => {
  let tell = (): void => {};
  const heard: string[] = [];
  let shows = 0;
  let state: Partial<UnitStatus> = { activeState: 'inactive', result: 'success' };
  const services: ProcessExitParts['services'] = {
    ...unitStands(() => state),
    watch: (unit, onChange) => {
      heard.push(unit);
      tell = onChange;
      return () => void heard.push(`not ${unit}`);
    },
    show: async () => {
      shows++;
      return { kind: 'status', status: { ...UNIT, ...state } };
    },
  };
  // Without a hint none of its long pauses ends.
  const clock = {
    ...systemClock,
    sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms > 300 ? 600_000 : ms, signal),
  };
  const targets = [inUnit(t, 'heard')];
  const parts = { services, clock, targets: () => targets, lookMs: 600_000 };
  const { zoo, detector, alarms, seen, exits } = detecting(t, [], parts);
  const program = zoo.sleeper(name('heard'));
  const first = await zoo.start(program);
  detector.start();
  await waitFor('it is seen', () => seen().includes(first));
  assert.deepEqual(heard, [UNIT.id]);
  await kill(first);
  await waitFor('its end is told of', () => exits().length === 1);
  const second = await zoo.start(program);
  tell();
  await waitFor('its successor is seen', () => seen().includes(second));
  state = { activeState: 'activating', subState: 'auto-restart' };
  shows = 0;
  await kill(second);
  // 10, 20, 40, 80, 160 ms; then it waits.
  await waitFor('its pauses have become long', () => shows === 6);
  assert.deepEqual(alarms, []);
  state = { activeState: 'failed', result: 'signal' };
  tell();
  await waitFor('an alarm', () => alarms.length === 1);
  await detector.stop();
  assert.deepEqual(heard, [UNIT.id, `not ${UNIT.id}`]);
});

const UNIT: UnitStatus = { ...noUnit, id: 'exit-unit.service', activeState: 'active', subState: 'running' };

/** A systemd whose UNIT is as `state` says at that moment. */
function unitStands(state: () => Partial<UnitStatus>): ProcessExitParts['services'] {
  return {
    available: true,
    restartDue: async () => ({ kind: 'known', dueMs: undefined }),
    watch: () => () => {},
    show: async () => ({ kind: 'status', status: { ...UNIT, ...state() } }),
    end: async () => ({ kind: 'known', end: endOf({ ...UNIT, ...state() }) }),
    signalledEnd: () => undefined,
  };
}

/** A watched program that runs in UNIT. */
function inUnit(t: TestContext, what: string): ExitWatchTarget {
  const { strategy } = processStrategyWorld(t);
  const find: ExitWatchTarget['find'] = async (signal) => {
    const found = await strategy().findRunning(managed(name(what)), signal ?? never);
    return found.kind === 'found' ? { ...found, unit: UNIT.id } : found;
  };
  return { name: name(what), systemName: name(what), find };
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
