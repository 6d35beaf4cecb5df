import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ProcessTable } from '../../src/system/proc/table.ts';
import { DaemonProcess } from '../helpers/daemon.ts';
import { openZoo } from '../helpers/process-zoo.ts';
import { openSqliteAlarms } from '../helpers/sqlite-alarms.ts';
import { waitFor } from '../helpers/wait-for.ts';

// Of this run alone: processes are found by their names, whoever else tests on this machine.
const [ABSENT, PRESENT] = [`absent-${process.pid}`, `present-${process.pid}`];
const options = { timeout: 300_000 };

/** A daemon that polls every five minutes and ensures that programs of a zoo run, which it can start. */
function ensuring(t: TestContext, names: readonly string[]) {
  const zoo = openZoo(t);
  const alarms = openSqliteAlarms(join(zoo.dir, 'alarms.db'), names);
  t.after(() => alarms.close());
  const programs = new Map(names.map((name) => [name, zoo.sleeper(name)]));
  const configFile = join(zoo.dir, 'config.ini');
  const section = (name: string): string =>
    `[process.${name}]\nstart_command = export ZOO=${zoo.dir}; exec ${programs.get(name)} 300\n`;
  writeFileSync(
    configFile,
    `[database]\ndriver = sqlite\npath = ${zoo.dir}/alarms.db\n[monitor]\ncheck_interval = 86400\nstate_dir = ${zoo.dir}/state\n` +
      `[logging]\nfile = ${zoo.dir}/monitor.log\nsyslog = off\nlevel = debug\n[control]\nsocket = ${zoo.dir}/control.sock\n` +
      `[process.default]\nrestart_strategy = process\nensure_running = true\nboot_grace = 0.5\n${names.map(section).join('')}`,
    { mode: 0o600 },
  );
  const start = () => DaemonProcess.started(t, configFile);
  const pidsOf = (name: string): number[] => {
    const table = new ProcessTable();
    const seen = table.list(['name', 'state']).filter((one) => one.name === name.slice(0, 15) && one.state !== 'Z');
    return seen.map(({ pid }) => pid).filter((pid) => table.executes(pid, programs.get(name) ?? ''));
  };
  const healed = (name: string, notes: RegExp): Promise<unknown> =>
    waitFor(`${name} is healed`, () => {
      const row = alarms.row(name);
      return row.alarma === 0 && notes.test(row.notes ?? '') && pidsOf(name).length === 1;
    });
  return { zoo, alarms, programs, start, pidsOf, healed };
}

test('what does not run is started after its grace, also on an empty memory; what runs is left alone', options, async (t) => {
  const { zoo, alarms, programs, start, pidsOf, healed } = ensuring(t, [ABSENT, PRESENT]);
  const running = await zoo.start(programs.get(PRESENT) ?? '');
  const daemon = await start();
  await healed(ABSENT, /^not running since the start of monitor_service - Restarted at /);
  await daemon.line(new RegExp(`Process not running: ${ABSENT}: not running since the start of monitor_service`));
  await daemon.line(new RegExp(`Watching ${ABSENT}: pid ${pidsOf(ABSENT)[0]}`));
  assert.deepEqual([{ ...alarms.row(PRESENT) }, pidsOf(PRESENT)], [{ alarma: 0, sound: 0, notes: null }, [running]]);
  // It implies watch_exit.
  process.kill(running, 'SIGKILL');
  await healed(PRESENT, new RegExp(`^signal SIGKILL \\(pid ${running}, .* - Restarted at `));
  assert.equal((await daemon.stop()).code, 0);
  const [one, other] = [pidsOf(ABSENT), pidsOf(PRESENT)];
  const next = await start();
  for (const name of [ABSENT, PRESENT]) await next.line(new RegExp(`Watching ${name}: pid`));
  assert.equal((await next.stop()).code, 0);
  assert.deepEqual([pidsOf(ABSENT), pidsOf(PRESENT)], [one, other]);
});
