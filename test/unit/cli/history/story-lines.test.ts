import assert from 'node:assert/strict';
import { test } from 'node:test';
import { storyLines } from '../../../../src/cli/history/story-lines.ts';
import type { HistoryRecord } from '../../../../src/control/orders/history.ts';
import type { Story } from '../../../../src/control/orders/why.ts';
import { localTimestamp } from '../../../../src/core/clock.ts';

const began = new Date('2026-11-26T21:00:00Z');
const at = (second: number): string => new Date(began.getTime() + second * 1000).toISOString();
const shown = (second: number): string => localTimestamp(new Date(at(second)));
/** What the process is now. */
const well = { state: 'quiet', reason: null, daemonRuns: true } as const;
const incident = { id: 7, name: 'web', names: ['web'], by: 'outside', openedAt: at(0), closedAt: at(9), how: 'cleared' };

function event(second: number, type: string, detail: string, more: Partial<HistoryRecord> = {}): HistoryRecord {
  return { id: second, at: at(second), type, name: 'web', incident: 7, detail, output: [], ...more };
}

test('the story of a process that was healed at the second attempt', () => {
  const events = [
    event(0, 'alarm_found', 'disk full'),
    event(0, 'recovery_started', 'web.service, strategy service'),
    event(1, 'attempt_restarted', 'attempt 1: systemctl restart web.service'),
    event(4, 'attempt_failed', 'attempt 1: health check failed: port closed', { output: ['one', 'two'] }),
    event(5, 'attempt_restarted', 'attempt 2: systemctl restart web.service'),
    event(6, 'health_check_passed', 'after 1 s'),
    event(6, 'recovery_succeeded', '2 attempts, 6 s'),
    event(9, 'alarm_cleared', '9 s after it was found'),
  ];
  const lines = storyLines('web', { incident, events, leftOut: 0, ...well }, began);
  assert.match(lines[0] ?? '', /^web: incident 7, \d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}, over after 9 s$/);
  assert.deepEqual(lines.slice(1), [
    'first sign: an alarm that was raised in the alarm store',
    `${shown(0)}  alarm found: disk full`,
    `${shown(0)}  recovery begins: web.service, strategy service`,
    `${shown(1)}  attempt 1: systemctl restart web.service`,
    `${shown(4)}  attempt 1 failed: health check failed: port closed`,
    '                     | one',
    '                     | two',
    `${shown(5)}  attempt 2: systemctl restart web.service`,
    `${shown(6)}  health check passed after 1 s`,
    `${shown(6)}  recovered: 2 attempts, 6 s`,
    `${shown(9)}  alarm cleared 9 s after it was found`,
    'It was healed: nothing has to be done.',
  ]);
});

test('what was said just before is not said again', () => {
  const events = [
    event(1, 'command_output', 'restart_command of web', { output: ['a', 'b', 'c'] }),
    event(1, 'attempt_failed', 'attempt 1: exit code 3: a | b | c', { output: ['a', 'b', 'c'] }),
    event(1, 'recovery_failed', 'exit code 3: a | b | c', { output: ['a', 'b', 'c'] }),
    event(2, 'recovery_failed', 'another reason'),
  ];
  assert.deepEqual(storyLines('web', { incident, events, leftOut: 0, ...well }, began).slice(2, -1), [
    `${shown(1)}  output of restart_command of web`,
    ...['a', 'b', 'c'].map((line) => `                     | ${line}`),
    `${shown(1)}  attempt 1 failed: exit code 3`,
    `${shown(1)}  recovery failed`,
    `${shown(2)}  recovery failed: another reason`,
  ]);
});

test('what to do next is said by what the process is now, whatever happened last', () => {
  const open = { ...incident, closedAt: null, how: null };
  const last = (now: Partial<Story>, of: Story['incident'] = open) =>
    storyLines('we b', { incident: of, events: [event(1, 'recovery_failed', 'x')], leftOut: 0, ...well, ...now }, began).at(
      -1,
    ) ?? '';
  assert.match(last({ state: 'open' }), /run monitor_service breaker "we b" --reset\.$/);
  assert.match(last({ state: 'open' }, incident), /breaker "we b" --reset/, 'also after the incident');
  assert.match(last({ state: 'observed' }), /set mode = act\.$/);
  assert.match(last({ state: 'recovering' }), /under way/);
  assert.equal(
    last({ state: 'held', reason: 'on hold: upgrade' }),
    'State held (on hold: upgrade); monitor_service status "we b" says more.',
  );
  assert.match(last({ state: 'open', daemonRuns: false }), /^The daemon does not run/);
  assert.match(last({}), /^It is not in alarm now/);
  assert.match(last({}, incident), /^It was healed/);
  assert.deepEqual(storyLines('web', { incident: null, events: [], leftOut: 0, ...well }, began), [
    'no incident of web is remembered; monitor_service history web shows what happened',
  ]);
});

test('blanks in notes push nothing to the begin of a line', () => {
  const events = [event(1, 'alarm_found', `x${' '.repeat(60)}2026-11-26 22:00:00  recovered`)];
  const lines = storyLines('web', { incident, events, leftOut: 0, ...well }, began);
  assert.equal(lines[2], `${shown(1)}  alarm found: x 2026-11-26 22:00:00 recovered`);
});

test('the end is in the story, also one that no event reports', () => {
  const over = { ...incident, how: 'over' };
  assert.deepEqual(storyLines('web', { incident: over, events: [], leftOut: 0, ...well }, began).slice(2), [
    `${shown(9)}  the alarm was ended or acknowledged, not by the daemon`,
    'It is not in alarm now: nothing has to be done.',
  ]);
});

test('other processes of the incident are named with what happens to them', () => {
  const shared = { ...incident, names: ['web', 'www', 'x y'] };
  const joined = event(1, 'incident_joined', 'web: same target', { name: 'www' });
  const lines = storyLines('www', { incident: shared, events: [joined], leftOut: 0, ...well }, began);
  assert.equal(lines[1], 'also for www, "x y"');
  assert.equal(lines[3], `${shown(1)}  www: from here on part of the incident of web, same target`);
});

test('never more than 60 lines: the beginning, the end, and how much is left out', () => {
  for (const count of [50, 56, 57, 58, 59, 60, 200])
    for (const leftOut of [0, 12_345])
      for (const output of [[], ['a'], Array.from({ length: 20 }, (_, i) => `line ${i}`)]) {
        const events = Array.from({ length: count }, (_, i) => event(i, 'attempt_failed', `attempt ${i}: no`, { output }));
        const story: Story = { incident, events, leftOut, ...well };
        const lines = storyLines('web', story, began);
        assert.ok(lines.length <= 60, `${count} events: ${lines.length} lines`);
        const told = lines.filter((line) => line.includes(' failed: no')).length;
        const [, missing = '0'] = /^… (\d+) events? (?:is|are) left out/m.exec(lines.join('\n')) ?? [];
        assert.equal(told + Number(missing), count + leftOut);
        assert.equal(lines.at(-1), 'It was healed: nothing has to be done.');
      }
});
