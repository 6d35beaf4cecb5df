import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../../../src/core/clock.ts';
import { parseStrategy } from '../../../src/strategies/index.ts';
import type { RestartStrategy } from '../../../src/strategies/strategy.ts';
import type { RunningProcesses } from '../../../src/system/systemd/running-processes.ts';
import { strategyMemory } from '../../helpers/memory-state.ts';
import { pidsNamed } from '../../helpers/pids-named.ts';
import { isAlive } from '../../helpers/process-zoo.ts';
import { missing } from '../../helpers/requirement.ts';
import { attemptOn, FakeSection, managed, never, silentLog } from '../../helpers/strategy-parts.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { openRuns } from './runs.ts';
import { systemctl } from './watched-unit.ts';

// Runs under a real systemd, where it is PID 1: see transient.test.ts.

const DIR = '/run/kept';
const USER = { ...process.env, XDG_RUNTIME_DIR: '/run/user/0' };

/** The process strategy on a program of that name; its file, and how its supervisor is told of. */
function keeping(t: TestContext, name: string, section: Readonly<Record<string, string>> = {}) {
  mkdirSync(DIR, { recursive: true });
  const program = `${DIR}/${name}`;
  copyFileSync('/bin/sleep', program);
  const { programs, commands, services } = openRuns(t);
  const parts = { programs, commands, services, clock: systemClock, log: silentLog, ...strategyMemory() };
  const strategy = parseStrategy(new FakeSection(`process.${name}`, { restart_strategy: 'process', ...section })).create(parts);
  t.after(async () => {
    await programs.retire(name, 10_000, never);
    rmSync(program, { force: true });
  });
  return { strategy, program };
}

async function look(strategy: RestartStrategy, name: string): Promise<RunningProcesses & { kind: 'found' }> {
  await strategy.observe?.(managed(name));
  const found = await strategy.findRunning?.(managed(name), never);
  assert(found?.kind === 'found', JSON.stringify(found));
  return found;
}

/** Kills it, and waits until it is dead. */
async function kill(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL');
  await waitFor('it is dead', () => !isAlive(pid));
}

/** What starts one again that was killed, and one that we stopped: the program is left to it, both times. */
async function isLeftTo(strategy: RestartStrategy, name: string, keeper: string): Promise<void> {
  const first = await waitFor('it runs', () => pidsNamed(name)[0]);
  assert.deepEqual((await look(strategy, name)).supervisor, { description: keeper, leftMs: 0 });
  await kill(first);
  const { supervisor, processes } = await look(strategy, name);
  assert.deepEqual([supervisor?.description, processes], [keeper, []]);
  assert.ok((supervisor?.leftMs ?? 0) > 5000, JSON.stringify(supervisor));
  const dead = await strategy.restart(attemptOn(managed(name)));
  const [second, ...others] = pidsNamed(name);
  assert.deepEqual(dead, { kind: 'restarted', detail: `nothing was running, its supervisor ${keeper} started pid ${second}` });
  const alive = await strategy.restart(attemptOn(managed(name)));
  const [third, ...more] = pidsNamed(name);
  assert.deepEqual(alive, {
    kind: 'restarted',
    detail: `stopped 1 process, its supervisor ${keeper} started pid ${third}`,
  });
  assert.deepEqual([others, more], [[], []]);
  assert.notEqual(third, second);
}

test('a service of a user’s systemd is left to that', async (t) => {
  const { strategy, program } = keeping(t, 'userkept');
  systemctl('start', 'user@0.service');
  t.after(() => systemctl('stop', 'user@0.service'));
  const run = (...args: string[]) =>
    execFileSync('systemd-run', ['--user', '--quiet', ...args], { env: USER, stdio: 'ignore' });
  const [manager] = execFileSync('systemctl', ['show', '-PMainPID', 'user@0.service'], { encoding: 'utf8' }).split('\n');
  run('--unit=userkept', '-pRestart=always', '-pRestartSec=2', program, '300');
  await isLeftTo(strategy, 'userkept', `systemd --user (pid ${manager})`);

  // Whatever a session leaves behind becomes its child, and is nothing that it would start again.
  const left = keeping(t, 'userleft');
  run('--scope', 'setsid', '--fork', left.program, '300');
  await waitFor('it runs', () => pidsNamed('userleft')[0]);
  assert.equal((await look(left.strategy, 'userleft')).supervisor, undefined);
});

test('two programs of a supervisord that is a unit are left to it, one of them behind a script', {
  skip: missing('supervisord'),
}, async (t) => {
  const plain = keeping(t, 'supplain');
  const wrapped = keeping(t, 'supwrapped');
  // Both take their time: supervisord may start again at once.
  writeFileSync(`${DIR}/start.sh`, `#!/bin/sh\nsleep 2\n${wrapped.program} 300\nexit 1\n`, { mode: 0o755 });
  writeFileSync(
    `${DIR}/s.conf`,
    `[supervisord]
logfile=${DIR}/s.log
pidfile=${DIR}/s.pid
childlogdir=${DIR}
[program:plain]
command=/bin/sh -c "sleep 2; exec ${plain.program} 300"
autorestart=true
[program:wrapped]
command=${DIR}/start.sh
autorestart=true
stopasgroup=true
`,
  );
  execFileSync('systemd-run', ['--quiet', '--unit=kept-supervisor', 'supervisord', '-n', '-c', `${DIR}/s.conf`]);
  t.after(() => systemctl('stop', 'kept-supervisor.service'));
  const [pid] = execFileSync('systemctl', ['show', '-PMainPID', 'kept-supervisor.service'], { encoding: 'utf8' }).split('\n');
  await isLeftTo(plain.strategy, 'supplain', `supervisord (pid ${pid})`);

  const first = await waitFor('it runs', () => pidsNamed('supwrapped')[0]);
  await look(wrapped.strategy, 'supwrapped');
  await kill(first);
  const outcome = await wrapped.strategy.restart(attemptOn(managed('supwrapped')));
  assert.match(
    JSON.stringify(outcome),
    /"nothing was running, its supervisor (?:start\.sh|sh|dash|bash|supervisord) \(pid \d+\) started pid \d+"/,
  );
  assert.equal(pidsNamed('supwrapped').length, 1);
});

for (const [name, tool, runs] of [
  ['perlkept', 'perl', (program: string) => `perl -e "exit system(@ARGV)" ${program} 300`],
  ['tracekept', 'strace', (program: string) => `strace -f -o /dev/null ${program} 300`],
  ['npmkept', 'npm', (program: string) => `npm exec --offline --call "${program} 300"`],
] as const)
  test(`a loop is left its program, from the first time, that it runs by ${tool}`, { skip: missing(tool) }, async (t) => {
    const { strategy, program } = keeping(t, name);
    const unit = `kept-${name}`;
    const loop = `cd ${DIR}; while :; do ${runs(program)}; sleep 3; done`;
    execFileSync('systemd-run', ['--quiet', `--unit=${unit}`, '--setenv=HOME=/run', '/bin/sh', '-c', loop]);
    t.after(() => systemctl('stop', unit));
    const first = await waitFor('it runs', () => pidsNamed(name)[0]);
    await look(strategy, name);
    await kill(first);
    const outcome = await strategy.restart(attemptOn(managed(name)));
    const [second, ...others] = pidsNamed(name);
    // npm has a shell of its own below the loop's.
    const expected = new RegExp(`"nothing was running, its supervisor dash \\(pid \\d+\\) started pid ${second}"`);
    assert.match(JSON.stringify(outcome), expected);
    assert.deepEqual(others, []);
  });
