import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkDependencies } from '../../../src/config/check-dependencies.ts';
import { loadConfigText } from '../../../src/config/config-file.ts';
import { parseMonitorSettings, parseRecoverySettings } from '../../../src/config/parse-config.ts';

describe('parseMonitorSettings', () => {
  it('has the documented defaults', () => {
    const document = loadConfigText('f', '');
    assert.deepEqual(parseMonitorSettings(document.section('monitor'), {}), {
      checkIntervalMs: 300_000,
      maxRestartFailures: 3,
      circuitResetTimeMs: 1_800_000,
      flapRecoveries: 10,
      maxExits: 5,
      exitWindowMs: 300_000,
      flapWindowMs: 3_600_000,
      maxConcurrentRestarts: 4,
      onlyConfigured: false,
      requirePin: false,
      mode: 'act',
      clearAlarm: true,
      stateDir: '/var/lib/monitor_service',
    });
    assert.deepEqual(document.finish(), []);
  });

  it('takes the state directory from the file, then from systemd', () => {
    const stateDir = (text: string, env: NodeJS.ProcessEnv): string =>
      parseMonitorSettings(loadConfigText('f', text).section('monitor'), env).stateDir;
    assert.equal(stateDir('[monitor]\nstate_dir = /a b\n', { STATE_DIRECTORY: '/s' }), '/a b');
    assert.equal(stateDir('', { STATE_DIRECTORY: '/s:/t' }), '/s');
    assert.equal(stateDir('[monitor]\nstate_dir =\n', { STATE_DIRECTORY: '' }), '/var/lib/monitor_service');
  });
});

describe('parseRecoverySettings', () => {
  it('has the documented defaults', () => {
    const document = loadConfigText('f', '');
    assert.deepEqual(parseRecoverySettings(document.member('process', 'a')), {
      systemName: undefined,
      preRestartCommand: undefined,
      commandTimeoutMs: 60_000,
      healthCheckTimeoutMs: 5_000,
      stableTimeMs: 1_000,
      restartDelayMs: 2_000,
      maxAttempts: 2,
      useBackoff: false,
      backoffMultiplier: 2,
      maxDelayMs: undefined,
      priority: 0,
      dependsOn: [],
    });
    assert.deepEqual(document.finish(), []);
  });

  it('reads every key, its own section before [process.default]', () => {
    const own = 'system_name = x\npre_restart_command = a; b\nmax_delay = 90\npriority = -1\nbackoff_multiplier = 1.5\n';
    const text = `[process.default]\nrestart_delay = 0.25\nuse_backoff = on\npriority = 7\n[process.a]\n${own}`;
    const settings = parseRecoverySettings(loadConfigText('f', text).member('process', 'a'));
    assert.equal(settings.systemName, 'x');
    assert.equal(settings.preRestartCommand, 'a; b');
    assert.equal(settings.maxDelayMs, 90_000);
    assert.equal(settings.priority, -1);
    assert.equal(settings.backoffMultiplier, 1.5);
    assert.equal(settings.restartDelayMs, 250);
    assert.equal(settings.useBackoff, true);
  });

  it('names a dependency once, and never the process itself', () => {
    const document = loadConfigText('f', '[process.default]\ndepends_on = db, net, db\n[process.db]\n');
    assert.deepEqual(parseRecoverySettings(document.member('process', 'db')).dependsOn, ['net']);
    assert.deepEqual(parseRecoverySettings(document.member('process', 'web')).dependsOn, ['db', 'net']);
    const many = loadConfigText('f', `[process.a]\ndepends_on = ${Array.from({ length: 101 }, (_, i) => `p${i}`)}\n`);
    assert.deepEqual(parseRecoverySettings(many.member('process', 'a')).dependsOn, []);
    assert.match(many.problems[0]?.problem ?? '', /101 names\), expected at most 100 names/);
  });
});

describe('checkDependencies', () => {
  const problemsOf = (text: string): string[] => {
    const document = loadConfigText('f', text);
    checkDependencies(document);
    return document.problems.map(({ line, problem }) => `${line} ${problem}`);
  };

  it('finds a circle that goes through a process without a section', () => {
    const text = '[process.default]\ndepends_on = a\n[process.a]\ndepends_on = row\n';
    assert.deepEqual(problemsOf(text), [
      '2 is a circle: row -> a -> row (expected that no process depends on itself)',
      '4 is a circle: a -> row -> a (expected that no process depends on itself)',
    ]);
  });

  it('finds none in a diamond, and none if an empty value ends an inherited list', () => {
    const diamond = '[process.a]\ndepends_on = b, c\n[process.b]\ndepends_on = d\n[process.c]\ndepends_on = d\n[process.d]\n';
    assert.deepEqual(problemsOf(diamond), []);
    const list = '[process.default]\ndepends_on = a, b\n[process.a]\n';
    assert.match(problemsOf(`${list}[process.b]\n`).join(), /circle: a -> b -> a/);
    assert.deepEqual(problemsOf(`${list}depends_on =\n[process.b]\n`), []);
  });

  it('follows a chain as long as the file', () => {
    const chain = Array.from({ length: 20_000 }, (_, i) => `[process.p${i}]\ndepends_on = p${i + 1}\n`).join('');
    assert.deepEqual(problemsOf(chain), []);
    assert.equal(problemsOf(`${chain}[process.p20000]\ndepends_on = p19999\n`).length, 2);
  });
});
