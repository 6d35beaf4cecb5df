import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, rmSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { pidsOfGroup } from '../../../src/system/proc/group-members.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { detecting, property, systemctl } from './watched-unit.ts';

// What a unit must do that stays active without processes: emptied-units.ts, emptied-sysv.ts.

const NOTHING = 'but none of its processes runs any more';

/** The lines of a unit of that name, made of a command which leaves a daemon behind. */
export type MakeUnit = (t: TestContext, name: string, start: string) => string[];

/** The tests of one kind of units, with each of these strategies; without a start_command auto does the same restart. */
export function testEmptied(kind: string, make: MakeUnit, strategies: readonly string[] = ['service']): void {
  for (const strategy of strategies) {
    const name = `em-${kind}-${strategy[0]}`;

    test(`${kind}, ${strategy}: the end of its last process is its end, and a restart that leaves none has not succeeded`, async (t) => {
      const path = daemon(t, name);
      const [lives, once] = [`/run/${name}.lives`, `/run/${name}.once`];
      t.after(() => [lives, once].map((file) => rmSync(file, { force: true })));
      writeFileSync(lives, '600');
      const unit = make(t, name, `setsid ${path} $(cat ${lives}) >/dev/null 2>&1 & [ ! -e ${once} ] || wait`);
      const watch = detecting(t, name, { restart_strategy: strategy }, unit, 60_000);
      systemctl('start', name);
      const first = await watch.next();
      assert.deepEqual(await watch.health(), { kind: 'healthy' });
      assert.match(
        (await watch.preview()).stops.join(),
        new RegExp(`^${name}\\.service: active \\(\\w+\\), process ${first}$`),
      );
      kill(name);
      await waitFor('an alarm', () => watch.alarms.length === 1);
      assert.match(watch.alarms[0] ?? '', /^signal SIGKILL|^ended/);
      await waitFor('exited', () => property(name, 'SubState') === 'exited');
      assert.match((await watch.preview()).stops.join(), new RegExp(NOTHING));
      assert.equal(watch.runs(), false, 'active (exited) is no health');

      // It dies 0.3 s after each start.
      writeFileSync(lives, '0.3');
      const brief = await watch.restart();
      const health = brief.kind === 'restarted' ? await watch.health(5000) : brief;
      assert.ok(health.kind === 'unhealthy' || health.kind === 'failed', JSON.stringify(health));
      assert.match(health.reason, new RegExp(NOTHING));
      // It is dead before its start is over.
      writeFileSync(lives, '0');
      writeFileSync(once, '');
      const empty = await watch.restart();
      assert.equal(empty.kind, 'failed', JSON.stringify(empty));
      assert.match(
        empty.kind === 'failed' ? empty.reason : '',
        new RegExp(`^${name}\\.service is active \\(exited\\), ${NOTHING}`),
      );

      rmSync(once);
      writeFileSync(lives, '600');
      assert.deepEqual(await watch.restart(), { kind: 'restarted', detail: `systemctl restart ${name}.service` });
      assert.deepEqual(await watch.health(), { kind: 'healthy' });
      const known = watch.alarms.length;
      const isSeen = () => waitFor('it is watched', () => watch.seen() === pidsIn(name)[0]);
      await isSeen();
      systemctl('restart', name);
      await isSeen();
      const told = watch.exits.length;
      systemctl('stop', name);
      await waitFor('the stop is told of', () => watch.exits.length > told);
      assert.equal(watch.alarms.length, known, 'an operator’s restart and stop are none');
    });
  }
}

/** A program of the name of the unit with a `d`; its argument: for how long it lives. */
export function daemon(t: TestContext, name: string): string {
  const path = `/usr/local/bin/${name}d`;
  copyFileSync('/bin/sleep', path);
  chmodSync(path, 0o755);
  t.after(() => rmSync(path, { force: true }));
  return path;
}

/** The numbers of the processes in a unit. */
export function pidsIn(unit: string): number[] {
  const group = property(unit, 'ControlGroup');
  return group === '' ? [] : pidsOfGroup(group);
}

/** Kills them. */
export function kill(unit: string): void {
  for (const pid of pidsIn(unit)) process.kill(pid, 'SIGKILL');
}
