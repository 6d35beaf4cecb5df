import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../../../src/core/clock.ts';
import { parseStrategy } from '../../../src/strategies/index.ts';
import { Twins } from '../../../src/strategies/twins.ts';
import { ProcessTable } from '../../../src/system/proc/table.ts';
import { strategyMemory } from '../../helpers/memory-state.ts';
import { isAlive } from '../../helpers/process-zoo.ts';
import { attemptOn, FakeSection, managed, never, silentLog } from '../../helpers/strategy-parts.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { openRuns } from './runs.ts';
import { define, property, systemctl } from './watched-unit.ts';

// Runs under a real systemd, where it is PID 1: see transient.test.ts. Which process is the program, and through what it is restarted.

const table = new ProcessTable();

/** The process strategy on one name; `anew` makes another one over the same memory, as a restart of the daemon does. */
function openProcess(t: TestContext, name: string, section: Readonly<Record<string, string>> = {}) {
  const runs = openRuns(t);
  const memory = strategyMemory();
  const make = () =>
    parseStrategy(new FakeSection(`process.${name}`, { restart_strategy: 'process', ...section })).create({
      ...runs,
      clock: systemClock,
      log: silentLog,
      ...memory,
    });
  let strategy = make();
  const process = managed(name);
  t.after(() => runs.programs.retire(name, 10_000, never));
  return {
    dir: runs.dir,
    anew: () => {
      strategy = make();
    },
    observe: () => strategy.observe?.(process),
    resolve: () => strategy.resolve(process, never),
    alsoStarts: () => strategy.alsoStarts?.(process, never),
    health: () => strategy.checkHealth(process, 10_000, never),
    preview: () => strategy.preview(process, never),
    restart: () => strategy.restart(attemptOn(process)),
  };
}

/** A copy of sleep(1), or of another file, under that name, in a folder of root's. */
function program(t: TestContext, name: string, file = '/usr/bin/sleep'): string {
  const dir = mkdtempSync('/opt/identity-');
  chmodSync(dir, 0o755);
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  copyFileSync(file, join(dir, name));
  return join(dir, name);
}

function pidsOf(executable: string): number[] {
  return table.list(['executable', 'state']).flatMap((p) => (p.executable === executable && p.state !== 'Z' ? [p.pid] : []));
}

/** A unit of that file, started; stopped and gone after the test. */
function openUnit(t: TestContext, unit: string, lines: readonly string[]): void {
  define(t, unit, '[Service]', ...lines);
  systemctl('start', unit);
}

const unitOf = (pid: number): string | undefined => table.read(pid, ['unit'])?.unit;

test('a start that leaves for the background is what lives in its unit; a helper that it leaves behind is not', async (t) => {
  const name = 'backgroundd';
  const main = program(t, 'other-name');
  const helper = program(t, 'helper');
  const app = openProcess(t, name, {
    start_command: `setsid ${main} 600 & setsid ${helper} 600 & sleep 0.1`,
    stable_time: '0',
  });
  assert.equal((await app.restart()).kind, 'restarted');
  await waitFor('both', () => pidsOf(main).length === 1 && pidsOf(helper).length === 1);
  assert.deepEqual(await app.health(), { kind: 'healthy' });
  app.anew();
  assert.equal((await app.restart()).kind, 'restarted');
  await waitFor('both', () => pidsOf(main).length === 1 && pidsOf(helper).length === 1);
});

test('what su leaves in a session of logind’s is known, and goes with the next restart', async (t) => {
  const name = 'suprog';
  const main = program(t, 'other-program');
  for (const line of [
    `su - nobody -s /bin/sh -c "${main} 600 & sleep 0.2"`,
    `runuser -l nobody -s /bin/sh -c "${main} 600 & sleep 0.2"`,
  ]) {
    const app = openProcess(t, name, { start_command: line, stable_time: '0' });
    const stops = async () => (await app.preview()).stops.join();
    assert.equal((await app.restart()).kind, 'restarted');
    const pid = await waitFor('it runs', () => pidsOf(main)[0]);
    // Else it would be no more than what lives in its unit.
    assert.match(unitOf(pid) ?? '', /^session-.*\.scope$/);
    await waitFor('su has ended', async () => (await stops()).startsWith(`pid ${pid}, user nobody (65534), `));
    assert.deepEqual(await app.health(), { kind: 'healthy' });
    app.anew();
    assert.match(await stops(), /, started by monitor_service: /);
    assert.match(JSON.stringify(await app.restart()), /"stopped 1 process, started pid/);
    assert.ok(!isAlive(pid));
    await waitFor('the new one', () => pidsOf(main).length === 1);
    await waitFor('su has ended', async () => (await stops()).startsWith(`pid ${pidsOf(main)[0]}, user nobody (65534), `));
    process.kill(pidsOf(main)[0] ?? 0, 'SIGKILL');
  }
});

test('the main process of a system unit is restarted through the unit, under the process strategy too', async (t) => {
  const path = program(t, 'mainprog');
  openUnit(t, 'maind.service', [`ExecStart=${path} 600`]);
  const app = openProcess(t, 'mainprog');
  const pid = await waitFor('it runs', () => pidsOf(path)[0]);
  assert.deepEqual(await app.resolve(), { kind: 'target', key: 'maind', description: 'unit maind.service, process mainprog' });
  const preview = await app.preview();
  assert.match(preview.starts.join(), /systemctl restart maind\.service/);
  assert.match(preview.stops.join(), new RegExp(`^pid ${pid}, `));
  const outcome = await app.restart();
  assert.match(outcome.kind === 'restarted' ? outcome.detail : outcome.reason, /^systemctl restart maind\.service/);
  // systemd tells of its start before it has been executed.
  const fresh = await waitFor('the new one', () => pidsOf(path).find((one) => one !== pid));
  assert.ok(!isAlive(pid) && unitOf(fresh) === 'maind.service');
  // Dead, it is still the unit's, also for a daemon that was started anew.
  await app.observe();
  process.kill(fresh, 'SIGKILL');
  await waitFor('failed', () => property('maind', 'ActiveState') === 'failed');
  app.anew();
  assert.equal((await app.restart()).kind, 'restarted');
  assert.equal(unitOf(await waitFor('it runs', () => pidsOf(path)[0])), 'maind.service');
});

test('what a unit’s wrapper script ends with is restarted through the unit; a batch job’s step, and one beside another, is not', async (t) => {
  const path = program(t, 'wrappedprog');
  const script = join(dirname(path), 'start.sh');
  writeFileSync(script, `#!/bin/sh\nulimit -c 0\n${path} "$@"\n`, { mode: 0o755 });
  openUnit(t, 'wrapd.service', [`ExecStart=${script} 600`]);
  const app = openProcess(t, 'wrappedprog');
  await waitFor('it', () => pidsOf(path).length === 1);
  const [pid = 0] = pidsOf(path);
  const outcome = await app.restart();
  assert.match(outcome.kind === 'restarted' ? outcome.detail : outcome.reason, /^systemctl restart wrapd\.service/);
  await waitFor('another', () => pidsOf(path).some((one) => one !== pid));
  assert.equal(pidsOf(path).length, 1);

  for (const [name, line] of [
    ['batchprog', (one: string) => `/bin/sh -c ': step 1; ${one} 600; : step 3'`],
    ['besideprog', (one: string) => `/bin/sh -c '/bin/sleep 700 & ${one} 600 || exit 1'`],
  ] as const) {
    const one = program(t, name);
    openUnit(t, `${name}-shell.service`, [`ExecStart=${line(one)}`]);
    await waitFor('it', () => pidsOf(one).length === 1);
    assert.match((await openProcess(t, name).preview()).starts.join(), /its own command line/);
  }
});

test('what a dead main process left behind listening in its unit is stopped before the start; what else it left lives on', async (t) => {
  const path = program(t, 'preforkd', '/usr/bin/perl');
  const worker = program(t, 'prefork-worker');
  const other = program(t, 'prefork-session');
  const script = join(dirname(path), 'prefork.pl');
  writeFileSync(
    script,
    `use IO::Socket::INET; use POSIX; $^F = 99;
my $s = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 7321, Listen => 5, ReuseAddr => 1) or die $@;
for my $n (1 .. 3) { fork or do { POSIX::setsid(); $n < 3 or close $s; exec $n < 3 ? '${worker}' : '${other}', 600 } }
sleep 600 while 1;\n`,
  );
  openUnit(t, 'preforkd.service', [`ExecStart=${path} ${script}`, 'KillMode=process']);
  t.after(() => execFileSync('sh', ['-c', 'systemctl kill --signal=KILL --kill-whom=all preforkd.service || :']));
  await waitFor('all of it', () => pidsOf(worker).length === 2 && pidsOf(other).length === 1);
  const [main = 0, ...more] = pidsOf(path);
  assert.deepEqual(more, []);
  const app = openProcess(t, 'preforkd');
  await app.observe();
  app.anew();
  const [workers, others] = [pidsOf(worker), pidsOf(other)];
  process.kill(main, 'SIGKILL');
  await waitFor('it is over', () => property('preforkd.service', 'ActiveState') === 'failed');
  const { stops, starts } = await app.preview();
  assert.match(stops.join(), new RegExp(`^pid ${workers.join('.*, ')} .*: left behind by it$`));
  assert.match(starts.join(), /^systemctl start preforkd\.service/);
  const outcome = await app.restart();
  assert.match(
    outcome.kind === 'restarted' ? outcome.detail : outcome.reason,
    /^stopped 2 processes left behind in preforkd\.service, systemctl start preforkd\.service/,
  );
  await waitFor('all of it anew', () => pidsOf(path).length === 1 && pidsOf(worker).length === 2);
  assert.ok(pidsOf(worker).every((pid) => !workers.includes(pid)) && others.every((pid) => pidsOf(other).includes(pid)));
});

test('what the unit needs is started with it, and listed for holds', async (t) => {
  const path = program(t, 'needyprog');
  openUnit(t, 'baseneed.service', ['ExecStart=/bin/sleep 600']);
  openUnit(t, 'needyd.service', [`ExecStart=${path} 600`, '[Unit]', 'Requires=baseneed.service']);
  const app = openProcess(t, 'needyprog');
  await waitFor('it runs', () => pidsOf(path).length === 1);
  await app.observe();
  systemctl('stop', 'needyd.service', 'baseneed.service');
  const also = await app.alsoStarts();
  assert.ok(also?.kind === 'known', JSON.stringify(also));
  assert.deepEqual(
    also.units.map(({ key }) => key),
    ['baseneed'],
  );
});

test('all that is left of a unit without a main process is the unit; with another beside it, it is not', async (t) => {
  const path = program(t, 'sysvprog');
  const other = program(t, 'sysvother');
  openUnit(t, 'sysvd.service', [
    'Type=oneshot',
    'RemainAfterExit=yes',
    `ExecStart=/bin/sh -c 'setsid ${path} 600 & setsid ${other} 600 & :'`,
    'KillMode=control-group',
  ]);
  const app = openProcess(t, 'sysvprog');
  await waitFor('both', () => pidsOf(path).length === 1 && pidsOf(other).length === 1);
  assert.match((await app.preview()).starts.join(), /its own command line/);
  const [beside = 0] = pidsOf(other);
  process.kill(beside, 'SIGKILL');
  await waitFor('end', () => !isAlive(beside));
  assert.match((await app.preview()).starts.join(), /systemctl restart sysvd\.service/);
  const outcome = await app.restart();
  assert.match(outcome.kind === 'restarted' ? outcome.detail : outcome.reason, /^systemctl restart sysvd\.service/);
});

test('a job that cron left behind, and a program of another supervisor, are not restarted through those', async (t) => {
  const job = program(t, 'cronjob');
  const kept = program(t, 'keptprog');
  openUnit(t, 'cron.service', [`ExecStart=/bin/sh -c 'setsid ${job} 600 & sleep 1000'`]);
  openUnit(t, 'supervisor.service', [`ExecStart=/bin/sh -c '${kept} 600 & ${kept} 601 & wait'`]);
  await waitFor('all', () => pidsOf(job).length === 1 && pidsOf(kept).length === 2);
  assert.match((await openProcess(t, 'cronjob').preview()).starts.join(), /its own command line/);
  assert.match((await openProcess(t, 'keptprog', { max_matches: '2' }).preview()).starts.join(), /its own command line/);
  // Once cron itself is gone, what it left is still nobody's main process.
  const main = Number(property('cron.service', 'MainPID'));
  process.kill(main, 'SIGKILL');
  await waitFor('end', () => !isAlive(main));
  const starts = (await openProcess(t, 'cronjob').preview()).starts.join();
  assert.ok(starts === '' || /its own command line/.test(starts), starts);
});

test('a unit that is down and its program are one target; not while that runs outside of it, unless its section rules', async (t) => {
  const path = program(t, 'downprog');
  openUnit(t, 'downunit.service', [`ExecStart=${path} 600`]);
  await waitFor('it runs', () => pidsOf(path).length === 1);
  systemctl('stop', 'downunit.service');
  const runs = openRuns(t);
  const memory = strategyMemory();
  const starts: string[] = [];
  const [section, unit] = [{ restart_strategy: 'process', system_name: path }, { restart_strategy: 'auto' }];
  const keys = async (...names: readonly ('downprog' | 'downunit')[]): Promise<string[]> => {
    const parsed = names.map((name) => {
      const own = name === 'downprog' ? section : unit;
      return {
        name,
        systemName: name === 'downprog' ? path : name,
        parsed: parseStrategy(new FakeSection(`process.${name}`, own)),
      };
    });
    const parts = { ...runs, clock: systemClock, log: silentLog, ...memory };
    const sections = parsed.map(({ systemName, parsed: { twin } }) => ({ ...twin, systemName }));
    const twins = new Twins(sections, { ...parts, path: '/usr/bin' });
    const resolved: string[] = [];
    for (const { name, systemName, parsed: one } of parsed) {
      const strategy = one.create({ ...parts, twins });
      const resolution = await strategy.resolve(managed(name, systemName), never);
      starts.push((await strategy.preview(managed(name, systemName), never)).starts.join());
      resolved.push(resolution.kind === 'target' ? resolution.key : resolution.reason);
    }
    return resolved;
  };
  assert.deepEqual(await keys('downunit', 'downprog'), ['downunit', 'downunit']);
  const start = 'systemctl start downunit.service';
  assert.deepEqual(starts, [start, start], 'without a word on how it was started by itself');
  const child = spawn(path, ['600'], { stdio: 'ignore' });
  t.after(() => child.kill());
  await waitFor('it runs by hand', () => pidsOf(path).length === 1);
  assert.deepEqual(await keys('downunit', 'downprog'), ['downunit', path]);
  assert.deepEqual(await keys('downprog', 'downunit'), ['downunit', 'downunit']);
});
