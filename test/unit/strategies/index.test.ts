import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseStrategy, strategies } from '../../../src/strategies/index.ts';
import { type StrategyParts, strategyNames } from '../../../src/strategies/strategy.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { FakeSystemd } from '../../helpers/fake-systemd.ts';
import { strategyMemory } from '../../helpers/memory-state.ts';
import { attemptOn, FakeCommands, FakeSection, managed, never, settled, silentLog } from '../../helpers/strategy-parts.ts';

function parts() {
  const clock = new FakeClock();
  const systemd = new FakeSystemd(clock);
  const commands = new FakeCommands();
  const all: StrategyParts = {
    commands,
    services: systemd,
    clock,
    log: silentLog,
    ...strategyMemory(),
    programs: {
      starter: process.pid,
      unready: async () => undefined,
      launch: () => assert.fail('nothing is to be launched'),
      retire: async () => undefined,
    },
  };
  return { all, systemd, commands, clock };
}

const warningsOf = (section: string, values: Record<string, string>): string[] => {
  const reader = new FakeSection(section, values);
  parseStrategy(reader);
  return reader.reports;
};

test('every strategy is in the table and creates one of its name; auto unless said', () => {
  for (const name of strategyNames) {
    const parsed = parseStrategy(new FakeSection('process.app', { restart_strategy: name, restart_command: 'x' }));
    assert.equal(parsed.name, name);
    assert.equal(parsed.create(parts().all).name, name);
    assert.equal(strategies[name].create(strategies[name].parse(new FakeSection('process.app')), parts().all).name, name);
  }
  assert.equal(parseStrategy(new FakeSection('process.app')).name, 'auto');
});

test('restart_command replaces the action of the strategy that is named; its health check stays', async () => {
  const { all, systemd, commands, clock } = parts();
  systemd.add('app.service', { state: 'failed', result: 'exit-code' });
  const section = new FakeSection('process.app', { restart_strategy: 'service', restart_command: 'again.sh %s' });
  const strategy = parseStrategy(section).create(all);
  assert.equal((await settled(clock, strategy.restart(attemptOn(managed('app'))))).kind, 'restarted');
  assert.equal(commands.ran[0]?.line, 'again.sh app');
  assert.deepEqual(systemd.calls, []);
  assert.deepEqual(await strategy.checkHealth(managed('app'), 5000, never), {
    kind: 'unhealthy',
    reason: 'app.service is failed (exit-code)',
  });
});

test('the keys of every strategy are known, whichever is named', () => {
  const asked = new Set<string>();
  class Asking extends FakeSection {
    override text(key: string): string | undefined {
      asked.add(key);
      return super.text(key);
    }
  }
  parseStrategy(new Asking('process.app', { restart_strategy: 'custom', restart_command: 'x' }));
  for (const key of [
    'start_command',
    'stop_command',
    'stop_signal',
    'stop_timeout',
    'max_matches',
    'user',
    'restart_command',
  ]) {
    assert.ok(asked.has(key), key);
  }
});

test('nonsense in a section of its own is a warning', () => {
  assert.deepEqual(warningsOf('process.app', { restart_strategy: 'custom' }), [
    'error restart_command: is missing: restart_strategy = custom needs a command',
  ]);
  assert.deepEqual(warningsOf('process.app', { restart_strategy: 'service', start_command: 'x' }), [
    'warning start_command: has no effect for app: restart_strategy = service restarts the unit only',
  ]);
  assert.deepEqual(warningsOf('process.app', { restart_command: 'x', stop_command: 'y' }), [
    'warning stop_command: has no effect for app: restart_command is run instead',
  ]);
  assert.deepEqual(warningsOf('process.reboot', {}), [
    'warning restart_strategy: will be refused: "reboot" changes the state of the whole machine',
  ]);
  assert.deepEqual(warningsOf('process.web', { restart_strategy: 'service', system_name: 'web*' }), [
    'error system_name: cannot be used: "web*" is a pattern, not the name of one unit (expected a service\'s name, such as nginx or app@1)',
  ]);
});

test('what only a program is known by, or given, does nothing for a unit', () => {
  const keys = {
    pid_file: '/run/app.pid',
    argument: 'x',
    any_user: 'true',
    user: 'app',
    supervisor_wait: '5',
    max_matches: '2',
    stop_signal: 'INT',
    stop_timeout: '5',
  };
  const told = warningsOf('process.app', { restart_strategy: 'service', ...keys });
  const why = 'has no effect for app: restart_strategy = service restarts the unit only';
  assert.deepEqual(
    told,
    Object.keys(keys).map((key) => `warning ${key}: ${why}`),
  );
  const empty = Object.fromEntries(Object.keys(keys).map((key) => [key, '']));
  assert.deepEqual(warningsOf('process.app', { restart_strategy: 'service', ...empty }), []);
  const inherited = new FakeSection('process.app', { restart_strategy: 'service', ...keys });
  parseStrategy(inherited, () => false);
  assert.deepEqual(inherited.reports, [], 'what stands in [process.default] may be meant for others');
  for (const name of ['process', 'auto', 'custom'])
    assert.deepEqual(warningsOf('process.app', { restart_strategy: name, restart_command: 'x', ...keys, user: '' }), [], name);
});

test('who becomes a user in start_command cannot have become one before', () => {
  const start = 'cd /opt && su - app -c /opt/bin/app';
  assert.deepEqual(warningsOf('process.app', { start_command: start, user: 'app', argument: '/opt/bin/app' }), [
    'warning start_command: is run as app (user), whom su asks for a password: leave out one of the two',
  ]);
  for (const user of ['root', '0', ''])
    assert.deepEqual(warningsOf('process.app', { start_command: start, user, argument: '/opt/bin/app' }), [], user);
});

test('a pid_file, an argument and a user that cannot do what they look like are warnings', () => {
  const once = (values: Record<string, string>, section = 'process.app'): string[] => [...new Set(warningsOf(section, values))];
  assert.deepEqual(once({ pid_file: '/run/%s.pid' }), ['warning pid_file: is used literally: %s is not replaced here']);
  assert.deepEqual(once({ argument: 'python3 /opt/app.py' }), [
    'warning argument: contains a blank: it must be one whole word of the command line',
  ]);
  assert.deepEqual(once({ any_user: 'true', user: 'app' }), [
    'warning user: only says who it is started as: with any_user = true the processes of all users are the program',
  ]);
  assert.deepEqual(once({ any_user: 'true' }), []);
});

test('an empty argument or pid_file does not distinguish programs', () => {
  const values = { restart_strategy: 'process', start_command: 'exec python3 /opt/l/ledger.py' };
  const [told, ...more] = warningsOf('process.app', values);
  assert.match(told ?? '', /^warning start_command: starts python3: a copy that /);
  assert.deepEqual(more, []);
  assert.deepEqual(warningsOf('process.app', { ...values, argument: '', pid_file: '' }), [told]);
  assert.deepEqual(warningsOf('process.app', { ...values, argument: '/opt/l/ledger.py' }), []);
});

test('sense is none', () => {
  assert.deepEqual(warningsOf('process.default', { restart_strategy: 'custom', start_command: 'x' }), []);
  assert.deepEqual(warningsOf('process.my worker', { start_command: 'x' }), []);
  assert.deepEqual(warningsOf('process.dbus', { restart_strategy: 'service' }), []);
  assert.deepEqual(warningsOf('process.w', { restart_strategy: 'process', start_command: 'x', stop_command: 'y' }), []);
  assert.deepEqual(warningsOf('process.reboot', { system_name: 'rebooter' }), []);
});
