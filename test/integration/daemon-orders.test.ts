import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { exitCodes } from '../../src/cli/exit-codes.ts';
import type { CliResult } from '../helpers/daemon.ts';
import { DaemonWorld } from '../helpers/daemon-world.ts';
import { shareMariadb } from '../helpers/shared-mariadb.ts';

const { skip, server } = shareMariadb();
const options = { skip, timeout: 300_000 };

/** A check interval so long that what happens, happens by order. */
/** A regular poll falls anywhere in its interval: not into a test. */
const SELDOM = { monitor: { check_interval: 86_400, max_restart_failures: 3 }, 'process.default': { max_attempts: 1 } };
/** The one who runs the tests, by our own command. */
const BY = String.raw`by \S+ \(monitor_client\)(?:, logged in as \S+)?`;

/** What the history of a daemon that has ended knows of orders. */
function history(world: DaemonWorld): string[] {
  const database = new DatabaseSync(join(world.dir, 'state/history.db'), { readOnly: true });
  try {
    const rows = database.prepare('SELECT type, process_name AS name, detail FROM history ORDER BY id').all();
    return rows.map(({ type, name, detail }) => `${type} ${name}: ${detail}`);
  } finally {
    database.close();
  }
}

function ends(result: CliResult, code: number, said: RegExp): void {
  const text = `${result.stdout}${result.stderr}`;
  assert.equal(result.code, code, text);
  assert.match(text, said);
}

test('who gave an order is in log and history, with a daemon and without', options, async (t) => {
  const world = await DaemonWorld.open(t, server(), SELDOM);
  world.configure({ 'process.sick': { restart_command: 'exit 3' } });
  await world.add('a');
  await world.add('sick');
  const daemon = await world.start();
  await world.cli('hold', 'a', '--for', '2h', '--reason', 'upgrade');
  await daemon.line(new RegExp(String.raw`Hold set for a ${BY}, until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d: upgrade\n`));
  await world.cli('release', 'a');
  await daemon.line(new RegExp(`Hold released for a ${BY}\\n`));
  await world.cli('restart', 'sick');
  await daemon.line(new RegExp(`RESTART LOG: Restart of sick ordered ${BY}\\n`));
  await world.cli('breaker', 'sick', '--reset');
  await daemon.line(new RegExp(`Circuit breaker reset for sick ${BY}: 1 failed recovery is forgotten\\n`));
  await world.cli('alarm', 'a', '--notes', 'by hand');
  await daemon.line(new RegExp(String.raw`DB UPDATE LOG: Alarm raised for a \(ID: 1\) ${BY}: by hand\n`));
  await world.sql('UPDATE STATUS_PROCESS SET alarma = 1, sound = 1 WHERE process_id = 2');
  await world.cli('alarm', 'sick', '--clear');
  await daemon.line(new RegExp(String.raw`DB UPDATE LOG: Alarm ended for sick \(ID: 2\) ${BY}\n`));
  await world.cli('reload');
  await daemon.line(new RegExp(`Configuration reloaded: nothing changed; ${BY}\\n`));
  daemon.child.kill('SIGHUP');
  await daemon.line(/Configuration reloaded: nothing changed; by SIGHUP\n/);
  await world.allClear();
  const healed =
    /^a: incident \d+, .*\nfirst sign: an alarm that an operator raised\n[\s\S]*alarm found: by hand\n[\s\S]*: nothing has to be done\.\n$/;
  ends(await world.cli('why', 'a'), 0, healed);
  ends(await world.cli('history', 'a', '--type', 'hold_set'), 0, new RegExp(`  a: put on hold: ${BY}: upgrade\\n$`));
  ends(await world.cli('why', 'nobody'), 66, /no process named "nobody"/);
  assert.equal((await daemon.stop()).code, 0);
  const read = await world.cli('why', 'a');
  assert.match(read.stdout, /alarm found: by hand\n[\s\S]*\nThe daemon does not run: .*\n$/);
  assert.match(read.stderr, /reading the history/);
  await world.cli('hold', 'sick');
  await world.cli('alarm', 'sick');
  const told = history(world).join('\n');
  for (const line of [
    `hold_set a: ${BY}: upgrade`,
    `hold_released a: ${BY}`,
    `order_given sick: restart ${BY}`,
    `order_given sick: circuit breaker reset ${BY}: 1 failed recovery is forgotten`,
    `order_given a: alarm raised ${BY}: by hand`,
    `order_given sick: alarm ended ${BY}`,
    `config_reloaded : ${BY}`,
    'config_reloaded : by SIGHUP',
    `hold_set sick: ${BY}`,
    `order_given sick: alarm raised ${BY}`,
  ])
    assert.match(told, new RegExp(`^${line}$`, 'm'));
  await world.nothingLeft();
});

test('alarm says what will not follow, and why', options, async (t) => {
  const world = await DaemonWorld.open(t, server(), SELDOM);
  world.configure({
    'process.sick': { restart_command: 'exit 3' },
    'process.twin': { restart_strategy: 'process', system_name: 'monitor-orders-twin', start_command: 'exec sleep 1000' },
    'process.other': { restart_strategy: 'process', system_name: 'monitor-orders-twin', start_command: 'exec sleep 1000' },
    "process.x'y": { restart_command: 'echo %s' },
    monitor: { max_restart_failures: 1 },
  });
  for (const name of ['a', 'sick', 'twin', 'other', "x'y", ' ']) await world.add(name);
  // The database alone knows it: nobody has started anything.
  ends(
    await world.cli('alarm', 'a'),
    0,
    /alarm raised: a \(id 1\); no restart will follow: no daemon runs: it is healed when one is started\n/,
  );
  await world.cli('alarm', 'a', '--clear');
  const daemon = await world.start();
  ends(await world.cli('alarm', 'a'), 0, /^alarm raised: a \(id 1\)\n$/);
  await world.allClear();
  await world.cli('hold', 'a', '--for', '2h', '--reason', 'maintenance');
  const until = String.raw`until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}`;
  ends(await world.cli('alarm', 'a'), 0, new RegExp(`; no restart will follow: on hold ${until}: maintenance\\n$`));
  await world.cli('release', 'a');
  await world.allClear();
  await world.cli('restart', 'sick');
  ends(
    await world.cli('alarm', 'sick'),
    0,
    new RegExp(`; no restart will follow: its circuit breaker is open ${until} \\(30 min\\)\\n$`),
  );
  await world.cli('hold', 'other');
  ends(await world.cli('alarm', 'twin'), 0, /; no restart will follow: on hold through other\n$/);
  ends(await world.cli('alarm', '6'), 0, /; no restart will follow: it has no name in PROCESE\n$/);
  ends(await world.cli('alarm', "x'y"), 0, /; a restart is tried and will fail: .*cannot stand for %s/);
  await world.cli('hold', '--all');
  ends(await world.cli('alarm', 'a'), 0, /; no restart will follow: on hold with all others until released\n$/);
  await world.cli('release', '--all');
  await world.allClear({ except: [2, 3, 4, 5, 6] });
  world.configure({ monitor: { mode: 'observe' } });
  await world.cli('reload');
  ends(await world.cli('alarm', 'a'), 0, /; no restart will follow: mode = observe: nothing is restarted\n$/);
  world.configure({ monitor: { mode: 'act', only_configured: true } });
  await world.cli('reload');
  ends(await world.cli('alarm', 'a'), 0, /; no restart will follow: it has no section of its own \(only_configured\)\n$/);
  ends(
    await world.cli('restart', 'a'),
    exitCodes.failed,
    /a was not restarted: it has no section of its own \(only_configured\)\n$/,
  );
  assert.equal((await daemon.stop()).code, 0);
});

test('a reload adds no failure to an alarm that cannot be healed, and tries what has changed at once', options, async (t) => {
  const world = await DaemonWorld.open(t, server(), SELDOM);
  world.configure({ 'process.sick': { restart_command: 'exit 3' }, 'process.mended': { restart_command: 'exit 4' } });
  await world.add('sick');
  await world.add('mended');
  const well = await world.add('well');
  const daemon = await world.start();
  await world.cli('alarm', 'sick');
  await world.cli('alarm', 'mended');
  const failures = async (name: string): Promise<number | undefined> =>
    (await world.status()).processes.find((process) => process.name === name)?.breaker.failures;
  await daemon.line(/Failed to restart sick/);
  await daemon.line(/Failed to restart mended/);
  for (let i = 0; i < 3; i++) {
    daemon.child.kill('SIGHUP');
    await daemon.line(new RegExp(`(?:Configuration reloaded[^\\n]*\\n[^]*){${i + 1}}`));
    // It has been polled since, and what is new in alarm was healed.
    await world.raise(well);
    await world.cli('reload');
    await world.allClear({ except: [1, 2] });
  }
  assert.deepEqual([await failures('sick'), await failures('mended')], [1, 1]);
  world.configure({ 'process.mended': { restart_command: 'true' } });
  await world.cli('reload');
  await world.allClear({ except: [1] });
  assert.deepEqual([await failures('sick'), await failures('mended')], [1, 0]);
  // Who takes a section out has said nothing of how the process gets well.
  world.configure({ 'process.gone': { restart_command: 'exit 5' } });
  await world.cli('reload');
  const gone = await world.add('gone');
  await world.cli('alarm', 'gone');
  await daemon.line(/Failed to restart gone/);
  world.remove('process.gone');
  await world.cli('reload');
  await world.raise(well);
  await world.cli('reload');
  await world.allClear({ except: [1, gone] });
  assert.equal(await failures('gone'), 1);
  // An operator's own word for that very alarm is another matter.
  await world.cli('alarm', 'sick');
  await world.until('it was tried again', async () => (await failures('sick')) === 2);
  assert.equal((await daemon.stop()).code, 0);
  await world.nothingLeft();
});

test('an unknown name is one sentence and one code in every command; a known one shows its default', options, async (t) => {
  const world = await DaemonWorld.open(t, server(), SELDOM);
  world.configure({ 'process.section': { restart_command: 'true' } });
  await world.add('row');
  await world.sql("INSERT INTO PROCESE VALUES (70, 'half')");
  await world.sql('INSERT INTO STATUS_PROCESS VALUES (71, 0, 0, NULL)');
  const commands = (name: string): string[][] => [
    ['restart', name],
    ['status', name],
    ['match', name],
    ['hold', name],
    ['release', name],
    ['breaker', name],
    ['breaker', name, '--reset'],
    ['alarm', name],
    ['alarm', name, '--clear'],
    ['pin', name, '--yes'],
    ['unpin', name],
  ];
  for (const running of [true, false]) {
    const daemon = running ? await world.start() : undefined;
    for (const command of commands('nosuch'))
      ends(
        await world.cli(...command),
        exitCodes.noSuchName,
        /no process named "nosuch" in the database or the configuration\n/,
      );
    // Whichever order it is, it is looked up at one place.
    for (const command of commands('half').slice(0, 3))
      ends(
        await world.cli(...command),
        exitCodes.noSuchName,
        /half is in PROCESE \(process_id 70\), but has no row in STATUS_PROCESS/,
      );
    ends(
      await world.cli('alarm', '71'),
      exitCodes.noSuchName,
      /STATUS_PROCESS has a row with the process_id "71", but PROCESE has no name/,
    );
    ends(
      await world.cli('alarm', '70'),
      exitCodes.noSuchName,
      /the process_id "70" is in PROCESE, as "half", but has no row in STATUS_PROCESS: it can have no alarm \(INSERT INTO STATUS_PROCESS \(.*'half'\)\n/,
    );
    ends(await world.cli('alarm', 'section'), exitCodes.noSuchName, /section has a section, but no row in the database/);
    for (const name of ['row', 'section']) {
      ends(await world.cli('release', name), 0, new RegExp(`^${name} is not on hold`, 'm'));
      ends(await world.cli('breaker', name, '--reset'), 0, /nothing to reset: closed already/);
      ends(await world.cli('breaker', name), 0, new RegExp(`${name} +closed`));
      ends(await world.cli('unpin', name), 0, new RegExp(`^${name} has no pin`, 'm'));
    }
    if (daemon === undefined) continue;
    assert.equal((await daemon.stop()).code, 0);
  }
});

test('a login that is refused is called that everywhere, and a fault that changes is reported', options, async (t) => {
  const world = await DaemonWorld.open(t, server(), { ...SELDOM, monitor: { check_interval: 0.2 } });
  world.configure({ 'process.known': { restart_command: 'true' } });
  await world.add('a');
  await world.sql(`CREATE OR REPLACE USER guarded@localhost IDENTIFIED BY 'right'`);
  await world.sql(`GRANT ALL ON ${world.database}.* TO guarded@localhost`);
  world.configure({ database: { user: 'guarded', password: 'right' } });
  const daemon = await world.start();
  await world.until('the store is known', async () => (await world.status()).store.state === 'ok');
  await world.sql(`SET PASSWORD FOR guarded@localhost = PASSWORD('another')`);
  // Those that stand go on: a restart of the server ends them, and the fault changes on the way.
  await server().kill();
  await daemon.line(/Alarm store does not answer: /);
  await server().restart();
  await daemon.line(/Alarm store still cannot be used: mysql \S+: database login refused: Access denied for user 'guarded'/);
  assert.match((await world.status()).store.reason ?? '', /database login refused: Access denied/);
  for (const command of [
    ['alarm', 'a'],
    ['hold', 'a'],
    ['breaker', 'a', '--reset'],
    ['restart', 'a'],
    ['match', 'a'],
    ['check-config', '--database'],
  ]) {
    const result = await world.cli(...command);
    ends(result, exitCodes.permission, /database login refused: Access denied/);
    assert.doesNotMatch(`${result.stdout}${result.stderr}`, /does not answer|right|another/);
  }
  ends(await world.cli('hold', 'known'), 0, /known on hold/);
  assert.doesNotMatch(daemon.stdout(), /does not answer: [^\n]*Access denied/);
  assert.equal((await daemon.stop()).code, 0);
  await world.nothingLeft();
});
