import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { DaemonProcess, runCli } from '../helpers/daemon.ts';
import { openSqliteAlarms } from '../helpers/sqlite-alarms.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { waitFor } from '../helpers/wait-for.ts';

const options = { timeout: 300_000 };

/** Processes whose restarts are lines of the file `restarts`, on SQLite; `keys` beside their restart_command. */
function world(t: TestContext, keys: Readonly<Record<string, string>>) {
  const dir = tempDir(t);
  const configFile = join(dir, 'config.ini');
  const restarts = join(dir, 'restarts');
  writeFileSync(restarts, '');
  const alarms = openSqliteAlarms(join(dir, 'alarms.db'), Object.keys(keys));
  t.after(() => alarms.close());
  const configure = (sections: Readonly<Record<string, string>>, more = ''): void => {
    const processes = Object.entries(sections).map(([name, text]) => `[process.${name}]\n${text}\n`);
    const general =
      `[database]\ndriver = sqlite\npath = ${dir}/alarms.db\n[monitor]\ncheck_interval = 0.2\nstate_dir = ${dir}/state\n` +
      `[logging]\nfile = ${dir}/monitor.log\nsyslog = off\n[control]\nsocket = ${dir}/control.sock\n` +
      `[process.default]\nrestart_strategy = custom\nhealth_check_command = true\nmax_attempts = 1\n${more}`;
    writeFileSync(configFile, general + processes.join(''), { mode: 0o600 });
  };
  configure(keys);
  const start = () => DaemonProcess.started(t, configFile);
  const cli = (...args: string[]) => runCli([...args, '--config', configFile]);
  const healed = (name: string) => waitFor(`${name} is healed`, () => alarms.row(name).alarma === 0 && done().includes(name));
  const done = (): string[] => readFileSync(restarts, 'utf8').trim().split('\n');
  const heals = (name: string): string => `restart_command = echo ${name} >> ${restarts}`;
  return { dir, configFile, alarms, configure, start, cli, healed, done, heals };
}

test('an error inside a section disables only that process; once it is corrected a reload heals it', options, async (t) => {
  const names = { well: '', bad: '', follower: '', first: '', second: '', silent: '' };
  const { alarms, configure, configFile, start, cli, healed, done, heals } = world(t, names);
  const sections = {
    well: heals('well'),
    bad: `${heals('bad')}\nmax_attempts = many\nwatch_exit = true`,
    follower: `${heals('follower')}\ndepends_on = bad`,
    first: `${heals('first')}\ndepends_on = second`,
    second: `${heals('second')}\ndepends_on = first`,
    silent: '',
  };
  configure(sections);
  for (const name of Object.keys(names)) alarms.raise(name, 'down');
  const daemon = await start();
  await daemon.line(/6 configured processes, of which 4 are refused/);
  const bad = `${configFile}:\\d+: \\[process\\.bad\\] max_attempts: invalid value "many", expected a whole number \\(1 to 1000\\)`;
  await daemon.line(new RegExp(`\\[ERROR\\] - ${bad}; bad is not restarted until this is corrected`));
  for (const name of ['first', 'second'])
    await daemon.line(new RegExp(`\\[ERROR\\] - .*\\[process\\.${name}\\] depends_on: is a circle: .*; ${name} is not`));
  await daemon.line(/\[ERROR\] - .*\[process\.silent\] restart_command: is missing.*; silent is not restarted/);
  await healed('well');
  // What it waits for will not get well.
  await healed('follower');
  for (const name of ['bad', 'first', 'second', 'silent'])
    await daemon.line(new RegExp(`${name} not restarted: .*config\\.ini:\\d+: \\[process\\.${name}\\] `));
  for (const command of ['restart', 'match']) {
    const { code, stdout, stderr } = await cli(command, 'bad');
    assert.equal(code, 1, stdout + stderr);
    assert.match(stdout + stderr, new RegExp(bad));
  }

  // A reload with any error is refused whole.
  configure({ ...sections, bad: heals('bad') });
  const reload = await cli('reload');
  assert.equal(reload.code, 78, reload.stdout);
  assert.match(reload.stderr, /\[process\.silent\] restart_command: is missing/);
  await daemon.line(/Configuration not reloaded: .*\[process\.first\] depends_on: is a circle/);
  assert.deepEqual(new Set(done()), new Set(['well', 'follower']));

  configure({ ...sections, bad: heals('bad'), second: heals('second'), silent: heals('silent') });
  assert.equal((await cli('reload')).code, 0);
  for (const name of ['bad', 'first', 'second', 'silent']) await healed(name);
  assert.equal((await daemon.stop()).code, 0);
});

test('an error in [process.default], or in any other section, ends the start', options, async (t) => {
  const { configure, configFile, cli, heals } = world(t, { well: '' });
  for (const more of ['restart_delay = soon\n', '[monitor]\nmode = watch\n', 'no key\n']) {
    configure({ well: heals('well') }, more);
    const daemon = new DaemonProcess(configFile);
    t.after(() => void daemon.stop('SIGKILL'));
    assert.equal((await daemon.ended).code, 78);
    assert.match(daemon.stderr(), /config\.ini:\d+: \[(?:process\.default|monitor)\] .*(?:invalid value|cannot be read)/);
    const check = await cli('check-config');
    assert.equal(check.code, 78);
    assert.match(check.stderr, /config\.ini cannot be used: 1 error, /);
  }
});
