import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { loadConfigText } from '../../../../src/config/config-file.ts';
import { formatProblem } from '../../../../src/core/errors.ts';
import type { CheckParts } from '../../../../src/detectors/checks/check.ts';
import { parseSchedule, ScheduledTimes } from '../../../../src/detectors/checks/schedule.ts';
import { nextTime } from '../../../../src/probes/worker/cron.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';
import { never } from '../../../helpers/worker-world.ts';

function problems(schedule: string, timezone?: string): string[] {
  const document = loadConfigText(
    'f',
    `[check.x]\nschedule = ${schedule}${timezone === undefined ? '' : `\ntimezone = ${timezone}`}`,
  );
  parseSchedule(document.member('check', 'x'));
  return document.problems.map((problem) => formatProblem(document.file, problem));
}

/** The times of a schedule, as ISO 8601, that come after that one. */
function timesAfter(schedule: string, timezone: string, after: string, count: number): string[] {
  const times: string[] = [];
  for (let afterMs = Date.parse(after); times.length < count; ) {
    const next = nextTime({ type: 'cron', schedule, timezone, afterMs });
    assert(next.kind === 'ok' && next.dueMs !== undefined && next.dueMs > afterMs);
    afterMs = next.dueMs;
    times.push(new Date(afterMs).toISOString());
  }
  return times;
}

test('what is wrong with a schedule is said', () => {
  for (const right of ['0 3 * * 1-5', '*/5 * * * *', '0 0,12 1-7 jan-mar sun', '5-50/15 * * * 7'])
    assert.deepEqual(problems(right), []);
  const wrong = (text: string, fault: string) =>
    assert.deepEqual(problems(text), [`f:2: [check.x] schedule: invalid value "${text}", ${fault}`]);
  wrong('0 3 * *', 'expected five fields (minute, hour, day, month, day of the week), such as 0 3 * * 1-5');
  wrong('60 3 * * *', 'expected 0 to 59, *, ranges, lists or steps as the minute');
  wrong('0 5-3 * * *', 'expected 0 to 23, *, ranges, lists or steps as the hour');
  wrong('0 3 * * mo', 'expected 0 to 7, *, ranges, lists or steps as the day of the week');
  wrong('*/0 * * * *', 'expected 0 to 59, *, ranges, lists or steps as the minute');
  assert.deepEqual(problems('* * * * *', 'Europe; rm').length, 1);
});

test('over both changes of the clock: none is left out, none comes twice', () => {
  assert.deepEqual(timesAfter('30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', 3), [
    // 02:30 does not exist on that day.
    '2026-03-29T01:30:00.000Z',
    '2026-03-30T00:30:00.000Z',
    '2026-03-31T00:30:00.000Z',
  ]);
  assert.deepEqual(timesAfter('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', 3), [
    '2026-10-25T00:30:00.000Z',
    '2026-10-26T01:30:00.000Z',
    '2026-10-27T01:30:00.000Z',
  ]);
});

test('times of any schedule ascend, fit its fields, and are those of the clock on the wall', () => {
  const zones = ['Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe', 'UTC'];
  fc.assert(
    fc.property(
      fc.constantFrom(...zones),
      fc.nat(59),
      fc.nat(23),
      fc.integer({ min: Date.UTC(2026, 0), max: Date.UTC(2028, 0) }),
      (zone, minute, hour, afterMs) => {
        const next = nextTime({ type: 'cron', schedule: `${minute} ${hour} * * *`, timezone: zone, afterMs });
        assert(next.kind === 'ok' && next.dueMs !== undefined);
        // A day has at most 25 hours, and the hour that a change leaves out comes with the next one.
        assert(next.dueMs > afterMs && next.dueMs - afterMs <= 26 * 3_600_000);
        const shown = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit' }).format(
          next.dueMs,
        );
        const isShifted = !shown.startsWith(String(hour).padStart(2, '0'));
        if (!isShifted) assert.equal(shown, `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`);
      },
    ),
    { numRuns: 300 },
  );
});

test('the daemon waits at most an hour, asks again then, and a time is due once', async () => {
  const clock = new FakeClock();
  const begin = clock.date().getTime();
  const worker = {
    ask: async (work: { afterMs: number }) => ({
      kind: 'ok',
      dueMs: work.afterMs < begin + 5_400_000 ? begin + 5_400_000 : begin + 9_000_000,
    }),
  } as unknown as CheckParts['worker'];
  const times = new ScheduledTimes({ text: '* * * * *', timezone: undefined }, worker, clock);
  assert.deepEqual(await times.next(never), { kind: 'known', waitMs: 3_600_000, isDue: false });
  await clock.advance(3_600_000);
  assert.deepEqual(await times.next(never), { kind: 'known', waitMs: 1_800_000, isDue: true });
  // The timer was early.
  await clock.advance(1_799_999);
  assert.deepEqual(await times.next(never), { kind: 'known', waitMs: 3_600_000, isDue: false });
});
