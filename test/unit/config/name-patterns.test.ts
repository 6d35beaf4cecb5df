import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameSearches, namesTooLong } from '../../../src/config/name-patterns.ts';

const LONG = 'monitored-program-of-ours';

const tooLong = (line: string, processName = 'a') => namesTooLong(nameSearches(line), { processName, systemName: 'b' });

test('a name that is longer than what the kernel keeps is found by nothing that looks among names', () => {
  for (const [line, program = 'pgrep'] of [
    [`pgrep ${LONG}`],
    [`pgrep -x ${LONG} >/dev/null`],
    [`pgrep -u root -x '^${LONG}$'`],
    [`test -n "$(pgrep -c ${LONG})"`],
    [`sudo /usr/bin/pgrep ${LONG}`],
    [`pgrep -x "$MONITOR_PROCESS_NAME"`],
    [`pkill ${LONG}; sleep 1`, 'pkill'],
    [`pkill -9 ${LONG}`, 'pkill'],
    [`pkill -HUP -x ${LONG}`, 'pkill'],
    [`pkill --signal TERM ${LONG}`, 'pkill'],
    [`start-stop-daemon --stop --name ${LONG}`, 'start-stop-daemon'],
  ] as const)
    assert.deepEqual(tooLong(line, LONG), [{ program, name: line.includes('^') ? `^${LONG}$` : LONG }], line);
  assert.equal(tooLong('pgrep ééééééée').length, 0, '15 bytes');
  assert.equal(tooLong('pgrep éééééééé').length, 1, '16 bytes');
});

test('one that looks through command lines, or for a pattern of unknown length, is left alone', () => {
  for (const line of [
    'pgrep -x exactly-15-byte',
    `pgrep -f ${LONG}`,
    `pgrep -xf ${LONG}`,
    `pgrep -fx ${LONG}`,
    `pgrep --full ${LONG}`,
    `pkill -9 -f ${LONG}`,
    `pkill -f -9 ${LONG}`,
    `pgrep '${LONG}|x'`,
    `pgrep '[m]onitored-program'`,
    `pgrep -u ${LONG}`,
    `pgrep -F /run/${LONG}.pid`,
    `pidof ${LONG}`,
    `killall ${LONG}`,
    `systemctl restart ${LONG}`,
    `echo pgrep ${LONG}`,
    'pgrep "$OTHER_LONG_VARIABLE"',
  ])
    assert.deepEqual(tooLong(line), [], line);
});

test('the name of the process counts, wherever it comes from', () => {
  for (const line of ['pgrep -x %s', 'pkill "^$MONITOR_SYSTEM_NAME$"', `pgrep -x "\${MONITOR_SYSTEM_NAME}"`]) {
    const searches = nameSearches(line);
    assert.equal(namesTooLong(searches, { processName: 'a', systemName: LONG }).length, 1, line);
    assert.equal(namesTooLong(searches, { processName: LONG, systemName: 'exactly-15-byte' }).length, 0, line);
  }
});
