import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { appUnit, isAppUnit, isAppUnitOf, runUnit } from '../../../../../src/system/systemd/unit/name.ts';

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
      for (const copy of [1, 2, 1000]) {
        assert.match(appUnit(a, copy), /^monitor_service-(?:cut-)?app\d*-[A-Za-z0-9:_.\\-]*\.service$/);
        assert(appUnit(a, copy).length <= 255);
        assert(isAppUnitOf(appUnit(a, copy), a));
        assert(isAppUnit(appUnit(a, copy)));
        assert.notEqual(appUnit(a, 2), appUnit(b, 1));
        assert.notEqual(appUnit(a, 2), appUnit(b, 3));
        if (appUnit(a) !== appUnit(b)) assert(!isAppUnitOf(appUnit(a, copy), b));
      }
      if (Buffer.from(a).equals(Buffer.from(b))) assert.equal(appUnit(a), appUnit(b));
      else assert.notEqual(appUnit(a), appUnit(b));
    }),
  );
  assert.notEqual(appUnit('x'.repeat(400)), appUnit('x'.repeat(401)));
  // No name is what a longer one is cut to, nor what a copy is called.
  const cut = appUnit('x'.repeat(400)).slice('monitor_service-'.length, -'.service'.length);
  for (const name of [cut, cut.replace(/^cut-app-/, ''), `cut/app/${'x'.repeat(180)}/${cut.slice(-16)}`])
    for (const one of [name, name.replaceAll('-', '/')]) assert.notEqual(appUnit(one), appUnit('x'.repeat(400)));
  for (const name of ['wk@2', '2/wk', 'wk2', 'app2/wk', 'wk/2']) assert.notEqual(appUnit(name), appUnit('wk', 2));
  assert.equal(appUnit('wk', 2), 'monitor_service-app2-wk.service');
});
