import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadConfigText } from '../../../src/config/config-file.ts';
import { fixture, fixtures, problemsOf, readWhole } from './whole-config.ts';

const iniFiles = (folder: string): string[] => readdirSync(join(fixtures, folder)).filter((name) => name.endsWith('.ini'));

describe('the corpus of configuration files', () => {
  for (const name of iniFiles('good')) {
    it(`good/${name} has no problems`, () => assert.deepEqual(problemsOf(fixture(`good/${name}`)), []));
  }
  for (const name of iniFiles('bad')) {
    it(`bad/${name} has just the problems it should`, () => {
      const expected = fixture(`bad/${name.replace(/\.ini$/, '.expected')}`).trimEnd();
      assert.deepEqual(problemsOf(fixture(`bad/${name}`)), expected.split('\n'));
    });
  }
});

describe('what the good files mean', () => {
  it("the seed's own example, trailing comments and all", () => {
    const document = loadConfigText('config.ini', fixture('good/seed-readme.ini'));
    const { monitor, processes } = readWhole(document);
    assert.deepEqual(
      [monitor.checkIntervalMs, monitor.maxRestartFailures, monitor.circuitResetTimeMs],
      [300_000, 3, 1_800_000],
    );
    assert.deepEqual(document.names('process'), ['example', 'custom_example']);
    assert.equal(document.section('database').secret('password'), 'your_password');
    assert.equal(document.section('logging').integer('max_log_size', { default: 1 }), 5120);
    const example = document.member('process', 'example');
    assert.equal(example.text('restart_strategy'), 'service');
    assert.equal(processes.get('example')?.preRestartCommand, '/path/to/validation/script  # Command to run before restart');
    assert.equal(processes.get('example')?.healthCheckTimeoutMs, 10_000);
    assert.equal(processes.get('custom_example')?.restartDelayMs, 3_000);
    const other = document.member('process', 'other');
    assert.equal(other.command('health_check_command'), 'pgrep %s  # Will be replaced with actual process name');
  });

  it('values and names that the package ini would have changed', () => {
    const document = loadConfigText('config.ini', fixture('good/traps.ini'));
    assert.equal(document.section('database').secret('password'), 'pa#ss;wo"rd');
    const names = ['nginx.service', 'My Service; v2 #1', 'brackets[1]', '__proto__', 'constructor'];
    assert.deepEqual(document.names('process'), names);
    const nginx = document.member('process', 'nginx.service');
    assert.equal(nginx.command('restart_command'), 'systemctl stop x; systemctl start x');
    assert.equal(nginx.command('health_check_command'), `test "$(curl -s 'http://h/?a=b#c')" = "ok" ; true # for the shell`);
    assert.equal(nginx.integer('priority', { default: 0, min: -9 }), -3);
    const service = document.member('process', 'My Service; v2 #1');
    assert.equal(service.text('health_check_body'), 'all ; fine # here');
    assert.equal(service.text('system_name'), 'a#b;c');
    assert.equal(document.member('process', '__proto__').command('restart_command'), 'true');
    assert.equal(document.member('process', 'constructor').command('restart_command'), 'null');
    assert.equal(document.member('process', 'constructor').text('system_name'), 'toString');
    assert.equal(document.member('process', 'toString').text('system_name'), undefined);
  });

  it('a file from Windows', () => {
    const document = loadConfigText('config.ini', fixture('good/windows.ini'));
    assert.equal(document.section('monitor').secondsAsMs('check_interval', { default: 1 }), 500);
    assert.equal(document.section('database').secret('password'), 'x y ');
    assert.equal(document.member('process', 'a').command('restart_command'), 'echo hi ');
  });

  it('empty values: the default, and in a process section not what [process.default] says', () => {
    const document = loadConfigText('config.ini', fixture('good/empty-values.ini'));
    assert.equal(document.section('database').secret('password'), '');
    assert.equal(document.section('database').text('password_file'), undefined);
    const section = document.member('process', 'a');
    assert.equal(section.command('health_check_command'), undefined);
    assert.ok(section.has('health_check_command'));
    assert.deepEqual(section.list('depends_on'), []);
    assert.equal(section.text('system_name'), undefined);
    assert.equal(section.secondsAsMs('restart_delay', { default: 2 }), 9_000);
    assert.equal(document.member('process', 'b').command('health_check_command'), 'pgrep %s');
  });
});
