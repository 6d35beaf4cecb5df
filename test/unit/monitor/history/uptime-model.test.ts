import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tellUptime } from '../../../../src/app/uptime.ts';
import type { CheckState, MonitorEvent } from '../../../../src/core/events.ts';
import { availability } from '../../../../src/monitor/history/availability.ts';
import { seededRandom } from '../../../helpers/seeded-random.ts';
import { EPOCH, endOf, type Happening, UptimeWorld } from '../../../helpers/uptime-world.ts';

const HISTORIES = Number(process.env.UPTIME_HISTORIES ?? 10_000);
const PROCESSES = ['a', 'b'];
/** A check without a process, a part of it, and a check of `a`. */
const CHECKS = ['c', 'c/x', 'd'];

test(`${HISTORIES} random histories of a daemon have the figures of a model that looks at each second`, async () => {
  let seen = 0;
  for (let seed = 1; seed <= HISTORIES; seed++) {
    const world = new UptimeWorld();
    play(world, seededRandom(seed));
    const timeline = world.table ?? world.look();
    // The disk has it all.
    const since = new Date(0);
    const spans = timeline.find(since);
    assert.deepEqual(sorted(world.look().find(since)), sorted(spans), `seed ${seed}`);
    const core = {
      settings: () => ({ processNames: PROCESSES, checks: [check('c'), check('d', 'a')] }),
      clock: { date: () => new Date(EPOCH + world.now * 1000) },
      state: { timeline },
    };
    const told = await tellUptime(core as never, undefined);
    assert(told.kind === 'done');
    const asked = await tellUptime(core as never, 'd');
    assert(asked.kind === 'done');
    for (const { name, kind, ...found } of [...told.uptimes, ...asked.uptimes]) {
      const states = conditionsOf(world.log, name, world.now);
      const before = Math.round(30 * 86_400 - world.now);
      const expected = modelOf(states);
      const whole = { ...expected, unknownMs: expected.unknownMs + before * 1000 };
      assert.deepEqual(found, whole, `seed ${seed}, ${name}: ${states}`);
      seen += found.outages;
      const own = spans.filter(
        (span) => span.name === '' || span.name === name || (name === 'd' && span.name === 'a' && span.kind === 'held'),
      );
      const from = seed % Math.max(1, world.now);
      const to = Math.min(world.now, from + 200);
      assert.deepEqual(
        availability(kind, own, EPOCH + from * 1000, EPOCH + to * 1000),
        modelOf(states.slice(from, to)),
        `seed ${seed}, ${name}, ${from} to ${to}: ${states}`,
      );
    }
  }
  assert.ok(seen > HISTORIES / 2, `${seen} outages`);
});

function check(name: string, processName?: string): unknown {
  return { settings: { name, processName } };
}

function sorted(spans: readonly object[]): string[] {
  return spans.map((span) => JSON.stringify(span)).sort();
}

/** Something happens, now and then, for some hundred seconds. */
function play(world: UptimeWorld, random: () => number): void {
  const upTo = (most: number): number => Math.floor(random() * most);
  const one = <T>(of: readonly T[]): T => of[upTo(of.length)] as T;
  let nextId = 1;
  const states = new Map<string, CheckState>();
  const end = 200 + upTo(400);
  while (world.now < end) {
    world.now += upTo(30);
    if (world.isRunning) world.beat();
    const action = upTo(20);
    if (!world.isRunning) {
      if (action < 8) {
        states.clear();
        world.start(PROCESSES);
      } else if (action < 10) hold(world, one([...PROCESSES, '']), upTo(100));
      continue;
    }
    if (action < 2) world.emit({ type: 'poll_completed', alarms: 0, durationMs: 1 });
    else if (action < 3) world.emit({ type: 'store_lost', reason: 'x' });
    else if (action < 4) world.emit({ type: 'store_doubted' });
    else if (action < 7) {
      const name = one(PROCESSES);
      if (!world.incidents.has(name))
        world.emit({ type: 'incident_opened', name, by: one(['exit', 'outside', 'check d']) }, nextId++);
    } else if (action < 9) {
      const [id] = [...world.incidents.values()];
      if (id !== undefined) world.emit(closed(null), id);
    } else if (action < 10) {
      const [own, other] = new Set(world.incidents.values());
      if (own !== undefined && other !== undefined) world.emit(closed(other), own);
    } else if (action < 14) {
      const name = one(CHECKS);
      const from = states.get(name) ?? 'unknown';
      const to = one(['ok', 'failing', 'unknown', 'ok'] as const);
      states.set(name, to);
      if (from !== to) world.emit({ type: 'check_changed', name, processName: null, from, to, reason: '', isWarning: false });
    } else if (action < 16) hold(world, one([...PROCESSES, '']), upTo(100));
    else if (action < 17) world.crash();
    else if (action < 18) world.stop();
    else if (action < 19 && upTo(4) === 0) world.suspend(301 + upTo(100));
    if (world.isRunning && upTo(2) === 0) world.write();
  }
  world.now++;
}

function closed(joined: number | null): MonitorEvent {
  return { type: 'incident_closed', name: '', how: 'over', durationMs: 0, joined };
}

/** Sets a hold, for ever or for a while, or ends the one there is. */
function hold(world: UptimeWorld, name: string, forS: number): void {
  const known = world.holds.get(name);
  const shown = name === '' ? null : name;
  const until = forS > 50 ? null : new Date(EPOCH + (world.now + forS) * 1000);
  if (known === undefined) world.holds.set(name, { name: shown, until, reason: '' });
  else world.holds.delete(name);
  const expired = known?.until !== undefined && known.until !== null && known.until.getTime() <= EPOCH + world.now * 1000;
  const event: MonitorEvent =
    known === undefined
      ? { type: 'hold_set', name: shown, until, reason: '', by: null }
      : { type: 'hold_released', name: shown, expired, by: null };
  if (world.isRunning) world.emit(event);
}

/** For each second: `u`p, `d`own, `h`eld or `?`. */
function conditionsOf(log: readonly Happening[], name: string, seconds: number): string {
  const happened = Map.groupBy(polledBefore(log), ({ at }) => at);
  let letters = '';
  const world = { runs: false, store: false, check: 'unknown', held: new Map<string, number>() };
  const incidents = new Map<string, { id: number; isSeen: boolean }>();
  const holders = name === 'd' ? ['a', ''] : [name, ''];
  for (let second = 0; second < seconds; second++) {
    for (const { event, ...each } of happened.get(second) ?? []) {
      if (event === 'died' || event === 'resumed') {
        world.runs = event === 'resumed';
      } else if (event.type === 'daemon_started') {
        Object.assign(world, { runs: true, store: false, check: 'unknown', held: new Map(each.holds) });
      } else if (event.type === 'poll_completed') world.store = true;
      else if (event.type === 'store_lost' || event.type === 'store_doubted') world.store = false;
      else if (event.type === 'check_changed' && event.name === name) world.check = event.to;
      else if (event.type === 'hold_set') world.held.set(event.name ?? '', endOf(event.until));
      else if (event.type === 'hold_released') world.held.delete(event.name ?? '');
      else if (event.type === 'incident_opened')
        incidents.set(event.name, { id: each.incident ?? 0, isSeen: event.by !== 'outside' });
      else if (event.type === 'incident_closed')
        for (const [owner, incident] of incidents) {
          if (incident.id !== each.incident) continue;
          if (event.joined === null) incidents.delete(owner);
          else incident.id = event.joined;
        }
    }
    const own = incidents.get(name);
    if (!world.runs) letters += '?';
    else if (holders.some((holder) => (world.held.get(holder) ?? 0) > second)) letters += 'h';
    else if (CHECKS.includes(name)) letters += world.check === 'failing' ? 'd' : world.check === 'ok' ? 'u' : '?';
    else if (own?.isSeen) letters += 'd';
    else if (!world.store) letters += '?';
    else letters += own === undefined ? 'u' : 'd';
  }
  return letters;
}

/** A store that is lost is unknown since the last poll of that life. */
function polledBefore(log: readonly Happening[]): readonly AnyHappening[] {
  let polledAt: number | undefined;
  return log.map((each) => {
    const type = typeof each.event === 'string' ? each.event : each.event.type;
    if (type === 'daemon_started') polledAt = undefined;
    if (type === 'poll_completed') polledAt = each.at;
    return type === 'store_lost' || type === 'store_doubted' ? { ...each, at: polledAt ?? each.at } : each;
  });
}

type AnyHappening = Pick<Happening, 'at' | 'event'> & {
  readonly incident?: number;
  readonly holds?: ReadonlyMap<string, number>;
};

function modelOf(states: string): ReturnType<typeof availability> {
  const count = (letter: string): number => states.split(letter).length - 1;
  const seconds = (runs: readonly string[]): number[] => runs.map(({ length }) => length);
  const seen = states.replaceAll(/[h?]/g, '');
  const outages = seconds(seen.match(/d+/g) ?? []);
  const over = seconds(seen.match(/d+(?=u)/g) ?? []);
  const known = count('u') + count('d');
  return {
    upMs: count('u') * 1000,
    downMs: count('d') * 1000,
    heldMs: count('h') * 1000,
    unknownMs: count('?') * 1000,
    percent: known === 0 ? null : Math.floor((count('u') * 100_000) / known) / 1000,
    outages: outages.length,
    longestMs: Math.max(0, ...outages) * 1000,
    meanToRecoverMs: over.length === 0 ? null : Math.round((over.reduce((sum, one) => sum + one, 0) * 1000) / over.length),
  };
}
