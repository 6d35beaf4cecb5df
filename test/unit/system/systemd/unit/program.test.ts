import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DbusValue } from '../../../../../src/system/systemd/dbus/values.ts';
import { unitProgram } from '../../../../../src/system/systemd/unit/program.ts';

test('a unit is over when it is down; while it goes down, when its main process has ended', () => {
  const overMs = (exit: bigint, enter: bigint, mainExit: bigint): number =>
    unitProgram(
      new Map<string, DbusValue>([
        ['InactiveExitTimestampMonotonic', exit],
        ['InactiveEnterTimestampMonotonic', enter],
        ['ExecMainExitTimestampMonotonic', mainExit],
      ]),
    ).overMs;
  assert.equal(overMs(5_000_000n, 9_000_000n, 8_000_000n), 9000);
  assert.equal(overMs(5_000_000n, 2_000_000n, 8_000_000n), 8000);
  assert.equal(overMs(5_000_000n, 2_000_000n, 0n), 0);
  assert.equal(overMs(0n, 0n, 0n), 0);
});
