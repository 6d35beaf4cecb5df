import assert from 'node:assert/strict';
import { test } from 'node:test';
import { customStrategy, withRestartCommand } from '../../../src/strategies/custom.ts';
import type { RestartStrategy } from '../../../src/strategies/strategy.ts';
import type { CommandResult } from '../../../src/system/spawn/command-result.ts';
import { attemptOn, FakeCommands, FakeSection, managed, never } from '../../helpers/strategy-parts.ts';

const parsed = (restartCommand?: string) =>
  customStrategy.parse(new FakeSection('process.app', restartCommand === undefined ? {} : { restart_command: restartCommand }));

function world(restartCommand?: string) {
  const commands = new FakeCommands();
  return { commands, strategy: customStrategy.create(parsed(restartCommand), { commands }) };
}

test('restart_command runs as an action, with the name expanded and in its environment', async () => {
  const { commands, strategy } = world('/usr/local/bin/again.sh %s --all %s');
  const outcome = await strategy.restart({ ...attemptOn(managed('app'), never), attempt: 2 });
  assert.deepEqual(outcome, { kind: 'restarted', detail: 'restart_command ended with exit code 0' });
  assert.deepEqual(commands.ran, [
    {
      line: '/usr/local/bin/again.sh app --all app',
      kind: 'action',
      runId: 'run-1',
      description: 'restart_command of app',
      environment: {
        MONITOR_PROCESS_NAME: 'app',
        MONITOR_SYSTEM_NAME: 'app',
        MONITOR_PROCESS_ID: '7',
        MONITOR_ATTEMPT: '2',
      },
      timeoutMs: 60_000,
    },
  ]);
});

test('whatever else its end was, the attempt failed', async () => {
  const ends: [CommandResult, RegExp][] = [
    [{ kind: 'exited', exitCode: 3, output: 'one\nno such pool\n' }, /^restart_command: exit code 3: one \| no such pool$/],
    [{ kind: 'signaled', signal: 'SIGSEGV', output: '' }, /SIGSEGV/],
    [{ kind: 'timed_out', afterMs: 60_000, output: '' }, /still running after 60 s/],
    [{ kind: 'aborted', output: '' }, /aborted/],
    [{ kind: 'not_started', reason: 'no shell' }, /not started: no shell/],
  ];
  for (const [result, expected] of ends) {
    const { commands, strategy } = world('x');
    commands.result = result;
    const outcome = await strategy.restart(attemptOn(managed('app')));
    assert.ok(outcome.kind === 'failed');
    assert.match(outcome.reason, expected);
    assert.equal(outcome.final, undefined, 'another attempt may end otherwise');
  }
});

test('without restart_command the recovery fails and says so', async () => {
  const { commands, strategy } = world();
  assert.deepEqual(await strategy.restart(attemptOn(managed('app'))), {
    kind: 'failed',
    reason: 'restart_command is not set in the section of the process',
    final: true,
  });
  assert.deepEqual(await strategy.preview(managed('app'), never), {
    stops: [],
    starts: [],
    refusals: ['restart_command is not set in the section of the process'],
  });
  assert.deepEqual(commands.ran, []);
});

test('a name that a shell could read as more is never put into the line', async () => {
  for (const name of ['$(reboot)', 'a;b', '`x`', 'a b', '-rf', "'", 'a\nb', '../x']) {
    const { commands, strategy } = world('again.sh %s');
    const outcome = await strategy.restart(attemptOn(managed(name)));
    assert.ok(outcome.kind === 'failed' && outcome.final && outcome.reason.includes('MONITOR_PROCESS_NAME'), name);
    assert.equal((await strategy.preview(managed(name), never)).refusals.length, 1);
    assert.deepEqual(commands.ran, []);
    const quoting = world('again.sh "$MONITOR_PROCESS_NAME"');
    assert.equal((await quoting.strategy.restart(attemptOn(managed(name)))).kind, 'restarted');
    assert.equal(quoting.commands.ran[0]?.environment.MONITOR_PROCESS_NAME, name);
  }
});

test('the target is the name, with or without .service; health is assumed', async () => {
  const { strategy } = world('x');
  for (const name of ['app', 'app.service']) {
    const resolution = await strategy.resolve(managed(name), never);
    assert.ok(resolution.kind === 'target' && resolution.key === 'app');
  }
  assert.deepEqual(await strategy.checkHealth(managed('app'), 5000, never), { kind: 'assumed' });
  assert.deepEqual((await strategy.preview(managed('app'), never)).starts, ['restart_command: x']);
});

test('restart_command replaces another strategy’s action and nothing else of it', async () => {
  const commands = new FakeCommands();
  const named: RestartStrategy = {
    name: 'service',
    resolve: async () => ({ kind: 'target', key: 'real', description: 'unit real.service' }),
    restart: () => assert.fail('its own action'),
    checkHealth: async () => ({ kind: 'unhealthy', reason: 'down' }),
    preview: () => assert.fail('its own preview'),
  };
  const strategy = withRestartCommand(named, parsed('again.sh'), { commands });
  assert.equal(strategy.name, 'service');
  assert.deepEqual(await strategy.resolve(managed('app'), never), await named.resolve(managed('app'), never));
  assert.deepEqual(await strategy.checkHealth(managed('app'), 1, never), { kind: 'unhealthy', reason: 'down' });
  assert.equal((await strategy.restart(attemptOn(managed('app')))).kind, 'restarted');
  assert.deepEqual((await strategy.preview(managed('app'), never)).starts, ['restart_command: again.sh']);
  assert.equal(commands.ran[0]?.line, 'again.sh');
});
