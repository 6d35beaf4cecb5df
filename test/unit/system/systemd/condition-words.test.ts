import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unmetCondition, untestedConditions } from '../../../../src/system/systemd/condition-words.ts';
import type { DbusValue } from '../../../../src/system/systemd/dbus/values.ts';

const MET = 1;
const UNTESTED = 0;
const UNMET = -1;

type Test = readonly DbusValue[];

function unmet(conditions: readonly Test[], asserts?: readonly Test[], changes: Record<string, DbusValue> = {}) {
  const values: Record<string, DbusValue> = {
    ConditionResult: asserts !== undefined,
    ConditionTimestampMonotonic: 5n,
    Conditions: conditions,
    AssertResult: false,
    AssertTimestampMonotonic: asserts === undefined ? 0n : 5n,
    Asserts: asserts ?? [],
    ...changes,
  };
  return unmetCondition(new Map(Object.entries(values)));
}

test('what was not met is shown as in the unit’s file', () => {
  const conditions = [
    ['ConditionPathExists', false, false, '/etc/there', MET],
    ['ConditionPathExists', false, true, '/etc/x', UNMET],
    ['ConditionHost', false, false, 'other', UNTESTED],
  ];
  assert.equal(unmet(conditions), 'ConditionPathExists=!/etc/x is not met');
  assert.equal(unmet([], [['AssertFileNotEmpty', false, false, '/etc/y', UNMET]]), 'AssertFileNotEmpty=/etc/y does not hold');
});

test('of those of which one is enough all are shown, but not beside one that has to hold', () => {
  const triggers = [
    ['ConditionACPower', true, false, 'true', UNMET],
    ['ConditionVirtualization', true, true, 'vm', UNMET],
  ];
  assert.equal(unmet(triggers), 'ConditionACPower=|true, ConditionVirtualization=|!vm is not met');
  assert.equal(unmet([...triggers, ['ConditionHost', false, false, 'x', UNMET]]), 'ConditionHost=x is not met');
});

test('nothing is reported of what was met, and of what was never to be started', () => {
  const condition = ['ConditionPathExists', false, false, '/etc/x', UNTESTED];
  assert.equal(unmet([condition], undefined, { ConditionTimestampMonotonic: 0n }), undefined);
  assert.equal(unmet([], [], { AssertResult: true }), undefined);
  assert.equal(unmetCondition(new Map()), undefined);
});

test('for a unit that systemd has just loaded its conditions are shown, for one that was started before they are not', () => {
  const values = (at: bigint) =>
    new Map<string, DbusValue>(
      Object.entries({
        ConditionTimestampMonotonic: at,
        Conditions: [['ConditionPathExists', false, true, '/etc/x', UNTESTED]],
        AssertTimestampMonotonic: at,
        Asserts: [['AssertHost', false, false, 'h', UNTESTED]],
      }),
    );
  assert.equal(untestedConditions(values(0n)), 'it is started only if ConditionPathExists=!/etc/x, AssertHost=h');
  assert.equal(untestedConditions(values(5n)), undefined);
  assert.equal(untestedConditions(new Map()), undefined);
});

test('words are printable and bounded; what cannot be read is reported in part', () => {
  const many = Array.from({ length: 100 }, () => [
    'ConditionPathExists',
    false,
    false,
    `/\u001b[31m${'x'.repeat(9999)}`,
    UNMET,
  ]);
  const told = unmet(many) ?? '';
  assert.match(told, /^ConditionPathExists=\/\?\[31mx+, .* and 97 more is not met$/);
  assert.ok(told.length < 800);
  assert.equal(unmet([['ConditionPathExists'], []]), 'one of its conditions is not met');
  assert.equal(unmet([], [['AssertPathExists', 1]]), 'one of its assertions does not hold');
});
