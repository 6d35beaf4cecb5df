import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { waitFor } from '../../helpers/wait-for.ts';
import { knownUnits } from './runs.ts';
import { define, detecting, property, reasonOf, systemctl } from './watched-unit.ts';

// Runs under a real systemd, where it is PID 1: see transient.test.ts. Units of odd types and in odd states.

const STRATEGIES = ['service', 'auto'];

test('a service that its socket starts is well while that listens, running or not', async (t) => {
  const one = async (strategy: string): Promise<void> => {
    const name = `odd-idle-${strategy[0]}`;
    const socket = `/run/${name}.sock`;
    define(t, `${name}.socket`, '[Socket]', `ListenStream=${socket}`);
    // It ends by itself when it has nothing to do: not before it was seen, however long that takes.
    const idle = `/run/${name}.idle`;
    t.after(() => rmSync(idle, { force: true }));
    const ending = `setInterval(() => { if (require('fs').existsSync('${idle}')) process.exit(); }, 100)`;
    const program = `require('net').createServer((client) => client.end()).listen({ fd: 3 }); ${ending}`;
    const unit = ['[Unit]', 'StartLimitIntervalSec=0', '[Service]', `ExecStart=${process.execPath} -e "${program}"`];
    const watch = detecting(t, name, { restart_strategy: strategy }, unit, 300);
    systemctl('start', `${name}.socket`);
    const client = connect(socket);
    t.after(() => client.destroy());
    await watch.next();
    writeFileSync(idle, '');
    await waitFor('it is idle', () => watch.exits.length === 1);
    assert.deepEqual([watch.exits, watch.alarms], [[true], []]);
    client.destroy();
    await waitFor('it rests', () => property(name, 'ActiveState') === 'inactive');
    rmSync(idle);
    assert.equal((await watch.restart()).kind, 'restarted');
    assert.deepEqual(await watch.health(), { kind: 'healthy' });
    writeFileSync(idle, '');
    await waitFor('it rests', () => property(name, 'ActiveState') === 'inactive');
    assert.deepEqual(await watch.health(), { kind: 'healthy' });
    // Once another one that was missing from now on is found missing, this one would have been.
    const missing = detecting(t, `odd-missing-${strategy[0]}`, { restart_strategy: strategy }, unit, 300);
    await waitFor('an alarm', () => missing.alarms.length === 1);
    assert.deepEqual(watch.alarms, []);
    systemctl('stop', `${name}.socket`);
    assert.equal((await watch.health(5000)).kind, 'unhealthy');
  };
  await Promise.all(STRATEGIES.map(one));
});

test('KillMode=none: no second copy is started beside what a stop leaves alive', async (t) => {
  const one = async (strategy: string): Promise<void> => {
    const name = `odd-none-${strategy[0]}`;
    const program = ['KillMode=none', `ExecStart=/bin/sleep 60${strategy.length}7`];
    const unit = (...lines: string[]) => ['[Unit]', 'StartLimitIntervalSec=0', '[Service]', ...program, ...lines];
    const watch = detecting(t, name, { restart_strategy: strategy }, unit());
    const main = () => Number(property(name, 'MainPID'));
    const end = (pid: number) => {
      process.kill(pid, 'SIGKILL');
      return waitFor('its end', () => !existsSync(`/proc/${pid}`));
    };
    systemctl('start', name);
    const first = main();
    const refusal = `${name}.service has no ExecStop= that would end its main process (pid ${first}), and its KillMode=none leaves that alive: a restart would make a second copy`;
    assert.deepEqual((await watch.preview()).refusals, [refusal]);
    assert.equal(reasonOf(await watch.restart()), refusal);
    assert.equal(main(), first);
    systemctl('stop', name);
    assert.match(
      reasonOf(await watch.restart()),
      new RegExp(`is inactive.*, and its main process \\(pid ${first}\\) still runs`),
    );
    assert.equal(main(), 0);
    await end(first);
    assert.equal((await watch.restart()).kind, 'restarted');
    assert.deepEqual(await watch.health(), { kind: 'healthy' });
    define(t, `${name}.service`, ...unit('ExecStop=/bin/true'));
    const second = main();
    const left = `its ExecStop= has not ended its main process (pid ${second}), and its KillMode=none leaves that alive`;
    const kept = reasonOf(await watch.restart());
    assert.ok(
      kept.startsWith(`systemctl stop ${name}.service: ${left}: not started, because that would make a second copy`),
      kept,
    );
    assert.equal(main(), 0);
    assert.match(reasonOf(await watch.restart()), new RegExp(`its main process \\(pid ${second}\\) still runs`));
    await end(second);
    define(t, `${name}.service`, ...unit("ExecStop=/bin/sh -c 'sleep 1; kill $MAINPID'"));
    assert.equal((await watch.restart()).kind, 'restarted');
    assert.deepEqual(await watch.health(), { kind: 'healthy' });
    const third = main();
    // What a restart takes along it takes along all the same.
    const others = ['PartOf', 'Requires', 'BindsTo'].map((how) => {
      const other = `${name}-${how.toLowerCase()}`;
      define(
        t,
        `${other}.service`,
        '[Unit]',
        `${how}=${name}.service`,
        `After=${name}.service`,
        '[Service]',
        'ExecStart=/bin/sleep 600',
      );
      systemctl('start', other);
      return { other, pid: property(other, 'MainPID') };
    });
    assert.equal((await watch.restart()).kind, 'restarted');
    assert.notEqual(main(), third);
    // They start after it: the restart of the unit itself may be over before theirs.
    for (const { other, pid } of others)
      await waitFor(
        `${other} is started again`,
        () => property(other, 'ActiveState') === 'active' && property(other, 'MainPID') !== pid,
      );
    await end(main());
  };
  await Promise.all(STRATEGIES.map(one));
});

test('the unit that we run in is refused, though its main process is another one', () => {
  // The shell stays in between.
  const line = `${process.execPath} ${join(import.meta.dirname, 'own-unit.ts')} odd-ours /run/odd-ours; true`;
  const unit = ['--quiet', '--wait', '--pipe', '--collect', '--unit=odd-ours', 'sh', '-c', line];
  const outcome = JSON.parse(execFileSync('systemd-run', unit, { encoding: 'utf8' }));
  assert.equal(reasonOf(outcome), 'odd-ours.service is the unit that monitor_service runs in');
});

test('a unit whose file is gone is there as long as it runs, and is not stopped', async (t) => {
  for (const strategy of STRATEGIES) {
    const name = `odd-gone-${strategy[0]}`;
    const section = { restart_strategy: strategy, start_command: `exec -a ${name} sleep 600` };
    const watch = detecting(t, name, section, ['[Service]', 'ExecStart=/bin/sleep 600']);
    systemctl('start', name);
    const main = Number(property(name, 'MainPID'));
    rmSync(`/run/systemd/system/${name}.service`);
    systemctl('daemon-reload');
    assert.equal(property(name, 'LoadState'), 'not-found');
    const running = await watch.running();
    assert(running.kind === 'found' && running.processes[0]?.pid === main, JSON.stringify(running));
    assert.deepEqual(await watch.health(), { kind: 'healthy' });
    const reason = `its unit file is gone: systemd could stop ${name}.service, but not start it again (pid ${main} runs)`;
    const beside = strategy === 'auto' ? `; not started as a process: ${name}.service is active` : '';
    assert.equal(reasonOf(await watch.restart()), `${reason}${beside}`);
    assert.deepEqual((await watch.preview()).refusals, [reason]);
    assert.equal(Number(property(name, 'MainPID')), main);
    assert.deepEqual(knownUnits(`monitor_service-app-${name}*`), [], 'no second copy');
    systemctl('stop', name);
  }
});
