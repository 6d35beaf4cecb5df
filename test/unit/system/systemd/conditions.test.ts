import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unmetConditions } from '../../../../src/system/systemd/conditions.ts';
import type { DbusValue } from '../../../../src/system/systemd/dbus/values.ts';

const MET = 1;
const UNTESTED = 0;
const UNMET = -1;

function unmet(
  conditions: readonly (readonly DbusValue[])[],
  asserts?: readonly (readonly DbusValue[])[],
  changes: Record<string, DbusValue> = {},
): string[] {
  return unmetConditions(
    new Map<string, DbusValue>(
      Object.entries({
        ConditionResult: asserts !== undefined,
        ConditionTimestampMonotonic: 5n,
        Conditions: conditions,
        AssertResult: false,
        AssertTimestampMonotonic: asserts === undefined ? 0n : 5n,
        Asserts: asserts ?? [],
        ...changes,
      }),
    ),
  );
}

test('what was not met is told as it stands in the unit’s file', () => {
  const conditions = [
    ['ConditionPathExists', false, false, '/etc/there', MET],
    ['ConditionPathExists', false, true, '/etc/x', UNMET],
    ['ConditionHost', false, false, 'other', UNTESTED],
  ];
  assert.deepEqual(unmet(conditions), ['ConditionPathExists=!/etc/x was not met']);
  assert.deepEqual(unmet([], [['AssertFileNotEmpty', false, false, '/etc/y', UNMET]]), [
    'AssertFileNotEmpty=/etc/y was not met',
  ]);
});

test('of those of which one is enough all are told, and only if none was met', () => {
  const triggers = [
    ['ConditionACPower', true, false, 'true', UNMET],
    ['ConditionVirtualization', true, true, 'vm', UNMET],
  ];
  assert.deepEqual(unmet(triggers), ['none of ConditionACPower=|true, ConditionVirtualization=|!vm was met']);
  assert.deepEqual(unmet(triggers.slice(0, 1)), ['ConditionACPower=|true was not met']);
  const needed = ['ConditionPathExists', false, false, '/etc/x', UNMET];
  assert.deepEqual(unmet([...triggers, needed]), ['ConditionPathExists=/etc/x was not met']);
});

test('nothing is told of what was met, and of what was never to be started', () => {
  const condition = ['ConditionPathExists', false, false, '/etc/x', UNTESTED];
  assert.deepEqual(unmet([condition], undefined, { ConditionTimestampMonotonic: 0n }), []);
  assert.deepEqual(unmet([], [], { AssertResult: true }), []);
  assert.deepEqual(unmetConditions(new Map()), []);
});

test('words are printable and bounded; of what cannot be read something is told all the same', () => {
  const many = Array.from({ length: 100 }, () => [
    'ConditionPathExists',
    false,
    false,
    `/\u001b[31m${'x'.repeat(9999)}`,
    UNMET,
  ]);
  const told = unmet(many);
  assert.equal(told.length, 5);
  assert.match(told[0] ?? '', /^ConditionPathExists=\/\?\[31mx+… was not met$/);
  assert.ok(told.join().length < 1500);
  assert.deepEqual(unmet([['ConditionPathExists'], []]), ['a condition was not met']);
  assert.deepEqual(unmet([], [['AssertPathExists', 1]]), ['an assertion was not met']);
});
