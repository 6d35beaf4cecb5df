import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { appUnit, runUnit } from '../../../../src/system/systemd/unit-name.ts';

test('units are named after the run, or after the program as systemd-escape does it', () => {
  assert.equal(runUnit('3f2a-1'), 'monitor_service-run-3f2a-1.service');
  assert.equal(appUnit('nginx'), 'monitor_service-app-nginx.service');
  assert.equal(appUnit('/usr/bin/my app'), 'monitor_service-app--usr-bin-my\\x20app.service');
  assert.equal(appUnit('a-b'), 'monitor_service-app-a\\x2db.service');
  assert.equal(appUnit('.x@y%i*'), 'monitor_service-app-\\x2ex\\x40y\\x25i\\x2a.service');
  assert.equal(appUnit('é'), 'monitor_service-app-\\xc3\\xa9.service');
});

test('every name makes a unit of its own that systemd takes', () => {
  const name = fc.string({ unit: 'grapheme', maxLength: 300 });
  fc.assert(
    fc.property(name, name, (a, b) => {
      assert.match(appUnit(a), /^monitor_service-app-[A-Za-z0-9:_.\\-]*\.service$/);
      assert(appUnit(a).length <= 255);
      if (Buffer.from(a).equals(Buffer.from(b))) assert.equal(appUnit(a), appUnit(b));
      else assert.notEqual(appUnit(a), appUnit(b));
    }),
  );
  assert.notEqual(appUnit('x'.repeat(400)), appUnit('x'.repeat(401)));
});
