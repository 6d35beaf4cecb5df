import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { messageTypes } from '../../../../src/system/systemd/dbus/message.ts';
import { Variant } from '../../../../src/system/systemd/dbus/values.ts';
import { type LinkKind, Pid1Link, type RemovedJob } from '../../../../src/system/systemd/link.ts';
import type { UnitChange } from '../../../../src/system/systemd/unit/change.ts';
import { unitPath } from '../../../../src/system/systemd/unit/name.ts';
import { FakePid1, type FakePid1Options } from '../../../helpers/pid1/fake-pid1.ts';
import { waitFor } from '../../../helpers/wait-for.ts';

const LONG = { timeoutMs: 30_000 };
const SYSTEMD = 'org.freedesktop.systemd1';
const WAYS = ['private', 'bus'] as const;

test('if the bus has a unit', () => {
  assert.equal(unitPath('nginx.service'), '/org/freedesktop/systemd1/unit/nginx_2eservice');
  assert.equal(unitPath('7up@a-b.service'), '/org/freedesktop/systemd1/unit/_37up_40a_2db_2eservice');
  assert.equal(unitPath('a7.socket'), '/org/freedesktop/systemd1/unit/a7_2esocket');
  assert.equal(unitPath('ș\\x2d_.mount'), '/org/freedesktop/systemd1/unit/_c8_99_5cx2d_5f_2emount');
  assert.equal(unitPath(''), '/org/freedesktop/systemd1/unit/_');
});

test('no two units are at one place, and each place is a path of D-Bus', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1 }), (unit) => {
      const path = unitPath(unit);
      assert.match(path, /^\/org\/freedesktop\/systemd1\/unit\/[A-Za-z0-9_]+$/);
      const label = path.slice('/org/freedesktop/systemd1/unit/'.length);
      const bytes = label.replace(/_([0-9a-f]{2})|([\s\S])/g, (_, hex?: string, plain = '') =>
        hex === undefined ? plain : String.fromCharCode(Number.parseInt(hex, 16)),
      );
      assert.ok(Buffer.from(bytes, 'latin1').equals(Buffer.from(unit)));
    }),
  );
});

for (const way of WAYS) {
  test(`${way}: a call is answered, with values or a refusal`, async (t) => {
    const { fake, link } = await linked(t, way);
    fake.add('a.service', { state: 'active' });
    const state = await link.call(getState('a.service'), LONG);
    assert.deepEqual(state, { kind: 'reply', values: [new Variant('s', 'active')] });
    const refused = await link.call({ member: 'StopUnit', signature: 'ss', values: ['no.service', 'replace'] }, LONG);
    assert.deepEqual(refused, { kind: 'error', name: `${SYSTEMD}.NoSuchUnit`, message: 'Unit no.service not loaded.' });
    assert.equal((await link.call({ member: 'Nonsense' }, LONG)).kind, 'error');
  });

  test(`${way}: a unit is reported in halves, the Unit half last, and no other unit is`, async (t) => {
    const { fake, link } = await linked(t, way);
    for (const unit of ['a.service', 'b.service']) fake.add(unit, { state: 'active' });
    const heard: UnitChange[] = [];
    link.onUnit(unitPath('a.service'), (change) => heard.push(change));
    await link.call({ interface: 'org.freedesktop.DBus.Peer', member: 'Ping' }, LONG);
    for (const unit of ['b.service', 'a.service', 'b.service']) fake.change(unit, (one) => one.enter('failed', 'failed'));
    await waitFor('a.service', () => heard.length >= 2);
    assert.deepEqual(
      heard.map((change) => [change.interface, change.values.get('ActiveState')]),
      [
        [`${SYSTEMD}.Service`, undefined],
        [`${SYSTEMD}.Unit`, 'failed'],
      ],
    );
  });

  test(`${way}: a listener that has stopped receives nothing more, the others do`, async (t) => {
    const { fake, link } = await linked(t, way);
    fake.add('a.service', { state: 'active' });
    const heard: string[] = [];
    const stops = ['one', 'two'].map((name) => link.onUnit(unitPath('a.service'), () => heard.push(name)));
    await link.call({ interface: 'org.freedesktop.DBus.Peer', member: 'Ping' }, LONG);
    fake.change('a.service', () => {});
    await waitFor('both', () => heard.length === 4);
    stops[0]?.();
    stops[0]?.();
    fake.change('a.service', () => {});
    await waitFor('one', () => heard.length === 6);
    assert.deepEqual(heard.slice(4), ['two', 'two']);
    stops[1]?.();
    fake.change('a.service', () => {});
    await link.call({ interface: 'org.freedesktop.DBus.Peer', member: 'Ping' }, LONG);
    assert.equal(heard.length, 6);
    // And somebody new.
    link.onUnit(unitPath('a.service'), () => heard.push('three'));
    await link.call({ interface: 'org.freedesktop.DBus.Peer', member: 'Ping' }, LONG);
    fake.change('a.service', () => {});
    await waitFor('three', () => heard.at(-1) === 'three');
  });

  test(`${way}: a listener that stops another one, and itself, while it is called`, async (t) => {
    const { fake, link } = await linked(t, way);
    fake.add('a.service', { state: 'active' });
    let heard = 0;
    const stops: (() => void)[] = [];
    const stopAll = (): void => {
      heard++;
      for (const stop of stops) stop();
    };
    stops.push(link.onUnit(unitPath('a.service'), stopAll), link.onUnit(unitPath('a.service'), stopAll));
    await link.call({ interface: 'org.freedesktop.DBus.Peer', member: 'Ping' }, LONG);
    fake.change('a.service', () => {});
    await waitFor('it', () => heard > 0);
    fake.change('a.service', () => {});
    await link.call({ interface: 'org.freedesktop.DBus.Peer', member: 'Ping' }, LONG);
    assert.ok(heard <= 2);
  });

  test(`${way}: jobs that end are reported`, async (t) => {
    const { fake, link } = await linked(t, way);
    fake.add('a.service');
    const heard: RemovedJob[] = [];
    const stop = link.onJob((job) => heard.push(job));
    await link.call({ member: 'StartUnit', signature: 'ss', values: ['a.service', 'replace'] }, LONG);
    await waitFor('a job', () => heard.length > 0);
    assert.deepEqual(heard, [{ path: '/org/freedesktop/systemd1/job/1', unit: 'a.service', result: 'done' }]);
    stop();
    await link.call({ member: 'StopUnit', signature: 'ss', values: ['a.service', 'replace'] }, LONG);
    await link.call({ interface: 'org.freedesktop.DBus.Peer', member: 'Ping' }, LONG);
    assert.equal(heard.length, 1);
  });

  test(`${way}: it ends when PID 1 re-executes itself`, async (t) => {
    const { fake, link } = await linked(t, way);
    let lost = 0;
    link.onLost(() => lost++);
    const forgotten = link.onLost(() => assert.fail('it was not to be called'));
    forgotten();
    fake.intercept = ({ member }) => member === 'Slow';
    const slow = link.call({ member: 'Slow' }, LONG);
    await waitFor('the call', () => fake.callsOf('Slow').length === 1);
    fake.goAway();
    assert.equal((await slow).kind, 'lost');
    assert.equal(link.isOpen, false);
    assert.equal(lost, 1);
    fake.comeBack();
    assert.equal((await link.call({ member: 'Slow' }, LONG)).kind, 'lost');
    link.close();
    assert.equal(lost, 1);
  });

  test(`${way}: whoever asks for a notice of the end after the end gets it`, async (t) => {
    const { link } = await linked(t, way);
    link.close();
    let told = 0;
    link.onLost(() => told++);
    const stop = link.onLost(() => assert.fail('it was not to be called'));
    stop();
    assert.equal(told, 0);
    await waitFor('it', () => told === 1);
    assert.equal((await link.call({ member: 'Ping' }, LONG)).kind, 'lost');
    link.onUnit('/x', () => {})();
    link.onJob(() => {})();
  });

  test(`${way}: a change that is not valid ends the link and nothing else`, async (t) => {
    const { fake, link } = await linked(t, way);
    let lost = 0;
    link.onLost(() => lost++);
    link.onUnit(unitPath('a.service'), () => assert.fail('there is nothing to tell'));
    await link.call({ interface: 'org.freedesktop.DBus.Peer', member: 'Ping' }, LONG);
    fake.step(() => fake.signal('PropertiesChanged', 'a.service', 'su', ['x', 1], unitPath('a.service')));
    await waitFor('the end', () => lost === 1);
  });

  test(`${way}: alive is a PID 1 that answers`, async (t) => {
    const { fake, link } = await linked(t, way);
    assert.equal(await link.isAlive(LONG), true);
    // What it has said a moment ago is no answer any more.
    await fake.beStale();
    const before = fake.callsOf('Ping').length;
    assert.equal(await link.isAlive(LONG), true);
    assert.equal(fake.callsOf('Ping').length, before + 1);
    await fake.fallSilent();
    assert.equal(await link.isAlive({ timeoutMs: 50 }), false);
    fake.goAway();
    assert.equal(await link.isAlive(LONG), false);
  });
}

test('private: nobody is asked for anything but what is wanted', async (t) => {
  const { fake, link } = await linked(t, 'private');
  link.onUnit(unitPath('a.service'), () => {});
  link.onJob(() => {});
  await link.call({ interface: 'org.freedesktop.DBus.Peer', member: 'Ping' }, LONG);
  assert.deepEqual(
    fake.calls.map(({ member }) => member),
    ['Ping'],
  );
});

test('bus: it registers, finds PID 1, and subscribes to its signals', async (t) => {
  const { fake, link } = await linked(t, 'bus');
  const { bus } = fake;
  assert.ok(bus);
  assert.deepEqual(bus.calls, [
    'Hello',
    `AddMatch type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='${SYSTEMD}'`,
    `GetNameOwner ${SYSTEMD}`,
  ]);
  assert.deepEqual(
    fake.calls.map(({ member }) => member),
    ['Subscribe'],
  );
  assert.equal(link.kind, 'bus');
});

test('bus: what is listened for is asked for once, and no more once nobody listens', async (t) => {
  const { fake, link } = await linked(t, 'bus');
  const { bus } = fake;
  assert.ok(bus);
  const own = bus.rules;
  const unit = `type='signal',sender='${SYSTEMD}',member='PropertiesChanged',path='${unitPath('a.service')}'`;
  const job = `type='signal',sender='${SYSTEMD}',interface='${SYSTEMD}.Manager',member='JobRemoved'`;
  const stops = [1, 2].map(() => link.onUnit(unitPath('a.service'), () => {}));
  const jobStops = [1, 2].map(() => link.onJob(() => {}));
  await waitFor('both rules', () => bus.rules.length >= own.length + 2);
  assert.deepEqual(bus.rules, [...own, unit, job]);
  stops[0]?.();
  jobStops[1]?.();
  await link.call({ interface: 'org.freedesktop.DBus.Peer', member: 'Ping' }, LONG);
  assert.deepEqual(bus.rules, [...own, unit, job]);
  stops[1]?.();
  stops[1]?.();
  await waitFor('one rule less', () => bus.rules.length === own.length + 1);
  assert.deepEqual(bus.rules, [...own, job]);
  jobStops[0]?.();
  await waitFor('its own alone', () => bus.rules.length === own.length);
  link.onUnit(unitPath('a.service'), () => {});
  await waitFor('the first again', () => bus.rules.length === own.length + 1);
});

test('bus: what somebody else sends in the name of PID 1, or of the bus, is passed over', async (t) => {
  const { fake, link } = await linked(t, 'bus');
  fake.add('a.service', { state: 'active' });
  const heard: string[] = [];
  link.onUnit(unitPath('a.service'), ({ values }) => heard.push(String(values.get('ActiveState'))));
  link.onJob(({ result }) => heard.push(result));
  let lost = 0;
  link.onLost(() => lost++);
  await link.call({ interface: 'org.freedesktop.DBus.Peer', member: 'Ping' }, LONG);
  for (const sender of [':1.666', SYSTEMD, '', ':1.00']) {
    fake.bus?.forge(
      {
        type: messageTypes.signal,
        path: unitPath('a.service'),
        interface: 'org.freedesktop.DBus.Properties',
        member: 'PropertiesChanged',
        signature: 'sa{sv}as',
        values: [`${SYSTEMD}.Unit`, [['ActiveState', new Variant('s', 'forged')]], []],
      },
      sender,
    );
    fake.bus?.forge(
      {
        type: messageTypes.signal,
        path: '/org/freedesktop/systemd1',
        interface: `${SYSTEMD}.Manager`,
        member: 'JobRemoved',
        signature: 'uoss',
        values: [1, '/org/freedesktop/systemd1/job/1', 'a.service', 'forged'],
      },
      sender,
    );
    fake.bus?.forge(ownerChanged(SYSTEMD, ':1.0', ':1.666'), sender);
    // Not even one that is no such change.
    fake.bus?.forge(
      {
        type: messageTypes.signal,
        path: unitPath('a.service'),
        interface: 'org.freedesktop.DBus.Properties',
        member: 'PropertiesChanged',
        signature: 'u',
        values: [1],
      },
      sender,
    );
  }
  fake.change('a.service', (unit) => unit.enter('failed', 'failed'));
  await waitFor('the true one', () => heard.length >= 2);
  assert.deepEqual(heard, ['undefined', 'failed']);
  assert.equal(lost, 0);
  assert.ok(link.isOpen);
});

test('bus: what the bus or somebody else says does not prove that PID 1 is alive', async (t) => {
  const { fake, link } = await linked(t, 'bus');
  await fake.fallSilent();
  fake.bus?.forge({ type: messageTypes.signal, path: '/', interface: 'a.b', member: 'Whatever' });
  link.onUnit(unitPath('a.service'), () => {});
  await waitFor('an answer of the bus', () => fake.bus?.rules.length === 2);
  await fake.quiet();
  assert.equal(await link.isAlive({ timeoutMs: 50 }), false);
});

test('bus: names that others take or lose are nothing to us', async (t) => {
  const { fake, link } = await linked(t, 'bus');
  fake.bus?.forge(ownerChanged('org.freedesktop.login1', ':1.5', ':1.6'), 'org.freedesktop.DBus');
  await link.call({ interface: 'org.freedesktop.DBus.Peer', member: 'Ping' }, LONG);
  assert.ok(link.isOpen);
});

test('bus: PID 1 that has us subscribed already', async (t) => {
  const fake = FakePid1.open(t);
  fake.refuse('Subscribe', [`${SYSTEMD}.AlreadySubscribed`, 'Client is already subscribed.']);
  const opened = await Pid1Link.open('bus', fake.addresses.bus, LONG);
  assert.ok(opened.kind === 'open');
  opened.link.close();
});

test('bus: PID 1 that does not want us', async (t) => {
  const fake = FakePid1.open(t);
  fake.refuse('Subscribe', ['org.freedesktop.DBus.Error.AccessDenied', 'Access\ndenied']);
  const opened = await Pid1Link.open('bus', fake.addresses.bus, LONG);
  assert.deepEqual(opened, { kind: 'failed', reason: 'Access denied', silent: false });
});

test('bus: no PID 1 behind it', async (t) => {
  const fake = FakePid1.open(t);
  fake.goAway();
  const opened = await Pid1Link.open('bus', fake.addresses.bus, LONG);
  assert.deepEqual(opened, {
    kind: 'failed',
    reason: `Could not get owner of name '${SYSTEMD}': no such name`,
    silent: false,
  });
});

test('bus: a silent PID 1 behind it, or a bus that is silent itself', async (t) => {
  const fake = FakePid1.open(t);
  const silent = { kind: 'failed', reason: 'systemd does not answer', silent: true };
  fake.hush();
  assert.deepEqual(await Pid1Link.open('bus', fake.addresses.bus, { timeoutMs: 1000 }), silent);
  assert.ok(fake.bus);
  fake.bus.silent = true;
  assert.deepEqual(await Pid1Link.open('bus', fake.addresses.bus, { timeoutMs: 50 }), {
    ...silent,
    reason: 'it does not answer',
  });
});

test('bus: opening it is given up when it is aborted, or the bus goes away', async (t) => {
  const fake = FakePid1.open(t);
  fake.hush();
  const abort = new AbortController();
  const opening = Pid1Link.open('bus', fake.addresses.bus, { ...LONG, signal: abort.signal });
  await waitFor('it to be asked', () => fake.bus?.calls.length === 3);
  abort.abort();
  assert.deepEqual(await opening, { kind: 'failed', reason: 'aborted', silent: true });
  const again = Pid1Link.open('bus', fake.addresses.bus, LONG);
  await waitFor('it to be asked', () => fake.bus?.calls.length === 6);
  fake.bus?.stop();
  assert.deepEqual(await again, {
    kind: 'failed',
    reason: 'the connection to systemd was lost: it was closed by the other side',
    silent: false,
  });
});

function getState(unit: string) {
  return {
    path: unitPath(unit),
    interface: 'org.freedesktop.DBus.Properties',
    member: 'Get',
    signature: 'ss',
    values: [`${SYSTEMD}.Unit`, 'ActiveState'],
  };
}

async function linked(
  t: TestContext,
  way: LinkKind,
  options: FakePid1Options = {},
): Promise<{ readonly fake: FakePid1; readonly link: Pid1Link }> {
  const fake = FakePid1.open(t, options);
  const opened = await Pid1Link.open(way, fake.addresses[way], LONG);
  assert.ok(opened.kind === 'open');
  fake.atEnd(() => opened.link.close());
  return { fake, link: opened.link };
}

/** What a bus signals when a name goes from one client to another. */
function ownerChanged(...values: readonly [name: string, before: string, after: string]) {
  return {
    type: messageTypes.signal,
    path: '/org/freedesktop/DBus',
    interface: 'org.freedesktop.DBus',
    member: 'NameOwnerChanged',
    signature: 'sss',
    values,
  };
}
