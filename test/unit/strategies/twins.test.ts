import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { LaunchRecord } from '../../../src/core/program/launch-record.ts';
import { type NamedSection, Twins } from '../../../src/strategies/twins.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { FakeSystemd } from '../../helpers/fake-systemd.ts';
import { never } from '../../helpers/strategy-parts.ts';
import { tempDir } from '../../helpers/temp-dir.ts';

type TwinMarks = Parameters<Twins['namesOf']>[1];

const plain: TwinMarks = { argument: undefined, pidFile: undefined, user: undefined };

/** Sections over a folder of programs, which is in PATH as `bin`; another name of it is `sbin`. */
function world(t: TestContext, records: Readonly<Record<string, string>> = {}) {
  const dir = tempDir(t);
  mkdirSync(join(dir, 'bin'));
  symlinkSync('bin', join(dir, 'sbin'));
  const program = (name: string): string => {
    writeFileSync(join(dir, 'bin', name), '', { mode: 0o755 });
    return join(dir, 'bin', name);
  };
  const clock = new FakeClock();
  const systemd = new FakeSystemd(clock);
  const open = (...sections: readonly (Partial<NamedSection> & { systemName: string })[]) =>
    new Twins(
      sections.map((section) => ({ ...plain, mayBeProgram: true, mayBeUnit: false, ...section })),
      {
        launches: {
          get: (name) => {
            const executable = records[name];
            return executable === undefined
              ? undefined
              : ({ executable, argv: [executable], cwd: '/' } as unknown as LaunchRecord);
          },
        },
        services: systemd,
        clock,
        path: join(dir, 'bin'),
      },
    );
  return { dir, program, systemd, open };
}

test('names that end alike and lead to the very file are one program; a link of another name is another', (t) => {
  const { dir, program, open } = world(t);
  const path = program('appd');
  symlinkSync(path, join(dir, 'bin/otherd'));
  const linked = join(dir, 'sbin/appd');
  const twins = open({ systemName: 'appd' }, { systemName: linked }, { systemName: 'otherd' }, { systemName: '/nowhere/appd' });
  assert.deepEqual(twins.namesOf('appd', plain), [linked]);
  assert.deepEqual(twins.namesOf(linked, plain), ['appd']);
  assert.deepEqual(twins.namesOf(path, plain), ['appd', linked], 'one without a section');
  assert.deepEqual(twins.namesOf('otherd', plain), []);
});

test('names that differ in argument, pid_file or user are different programs; names that share one are the same', (t) => {
  const { program, open } = world(t);
  const path = program('appd');
  const of = (one: Partial<TwinMarks>, other: Partial<TwinMarks>): boolean =>
    open({ systemName: 'appd', ...one }, { systemName: path, ...other }).namesOf('appd', { ...plain, ...one }).length > 0;
  assert.ok(of({ pidFile: '/run/a.pid' }, {}));
  assert.ok(of({ pidFile: '/run/a.pid' }, { pidFile: '/run/a.pid' }));
  assert.ok(!of({ pidFile: '/run/a.pid' }, { pidFile: '/run/b.pid' }));
  assert.ok(!of({ argument: 'one' }, { argument: 'two' }) && !of({ argument: 'one' }, {}));
  assert.ok(!of({ user: 'app' }, {}) && of({ user: 'app' }, { user: 'app' }));
  const marked = { pidFile: '/run/a.pid' };
  const named = open({ systemName: 'one', ...marked }, { systemName: 'two', ...marked }, { systemName: 'three' });
  assert.deepEqual(named.namesOf('one', { ...plain, ...marked }), ['two']);
  const same = open({ systemName: 'one', argument: '/x.py' }, { systemName: 'two', argument: '/x.py' });
  assert.deepEqual(same.namesOf('two', { ...plain, argument: '/x.py' }), ['one']);
  const service = open({ systemName: 'appd' }, { systemName: path, mayBeProgram: false });
  assert.deepEqual(service.namesOf('appd', plain), []);
});

test('the recorded program shows where a name leads, not PATH', (t) => {
  const { program, open } = world(t, { appd: '/usr/bin/env' });
  const path = program('appd');
  assert.deepEqual(open({ systemName: 'appd' }, { systemName: path }).namesOf('appd', plain), []);
});

test('a unit that executes the file is the program’s, if it is the only one, and no one-shot', async (t) => {
  const { program, systemd, open } = world(t);
  const path = program('appd');
  program('oned');
  const executed = { path, argv: [path], user: '' };
  systemd.add('appunit.service', { program: executed });
  systemd.add('once.service', { type: 'oneshot', program: { ...executed, path: path.replace('appd', 'oned') } });
  const unit = { systemName: 'appunit', mayBeUnit: true };
  const behind = open({ systemName: 'appd' }, unit, { systemName: 'once', mayBeUnit: true });
  assert.deepEqual(await behind.unitOf('appd', never), { unit: 'appunit.service', key: 'appunit', isRuled: true });
  assert.deepEqual(await open(unit, { systemName: 'appd' }).unitOf('appd', never), {
    unit: 'appunit.service',
    key: 'appunit',
    isRuled: false,
  });
  assert.equal(await behind.unitOf('oned', never), undefined);
  assert.equal(await behind.unitOf('appunit', never), undefined);
  assert.equal(await behind.unitOf('python3', never), undefined);
  systemd.silent = 'timed out';
  const silent = open({ systemName: 'appd' }, unit);
  assert.equal(await silent.unitOf('appd', never), undefined);
  systemd.silent = undefined;
  assert.equal((await silent.unitOf('appd', never))?.key, 'appunit', 'asked anew');
  systemd.add('appunit2.service', { program: executed });
  const two = open({ systemName: 'appd' }, unit, { systemName: 'appunit2', mayBeUnit: true });
  assert.equal(await two.unitOf('appd', never), undefined);
});
