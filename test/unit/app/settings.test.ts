import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readSettings } from '../../../src/app/settings.ts';
import type { ConfigProblem } from '../../../src/core/errors.ts';
import { tempDir } from '../../helpers/temp-dir.ts';

function warningsOf(t: TestContext, sections: string): string[] {
  return problemsOf(t, sections).map(({ section, key, problem }) => `[${section}] ${key}: ${problem}`);
}

/** Lines are counted from the first of `sections`. */
function problemsOf(t: TestContext, sections: string): ConfigProblem[] {
  const dir = tempDir(t);
  const file = join(dir, 'config.ini');
  const database = `[database]\ndriver = sqlite\npath = ${dir}/a.db\n`;
  writeFileSync(file, `${database}${sections}`, { mode: 0o600 });
  return readSettings(file).problems.map((problem) => ({ ...problem, line: problem.line - 3 }));
}

test('boot_grace in a section of its own needs ensure_running', (t) => {
  const told = '[process.app] boot_grace: has no effect: ensure_running is not true';
  assert.deepEqual(warningsOf(t, '[process.app]\nboot_grace = 5\n'), [told]);
  assert.deepEqual(warningsOf(t, '[process.app]\nboot_grace = 5\nensure_running = true\n'), []);
  assert.deepEqual(warningsOf(t, '[process.default]\nboot_grace = 5\n[process.app]\n'), []);
});

test('a key of [process.default] that has no effect on one process is not reported', (t) => {
  const section = '[process.app]\nrestart_strategy = service\n';
  assert.deepEqual(warningsOf(t, `[process.default]\nsupervisor_wait = 5\nany_user = true\n${section}`), []);
  assert.deepEqual(warningsOf(t, `${section}supervisor_wait = 5\n`), [
    '[process.app] supervisor_wait: has no effect for app: restart_strategy = service restarts the unit only',
  ]);
});

const TOLD = "%s becomes the process's name in date +%s as well; write %%s if the program is to see %s (date +%%s)";
const COMMANDS = ['pre_restart_command', 'stop_command', 'start_command', 'restart_command', 'health_check_command'];

test('a %s that some program means is reported for every command, at its line', (t) => {
  for (const [i, key] of COMMANDS.entries()) {
    const lines = COMMANDS.map((other) => `${other} = ${other === key ? 'date +%s' : 'true'}\n`);
    const about = problemsOf(t, `[process.app]\n${lines.join('')}`).filter(({ problem }) => problem.includes('%s'));
    assert.deepEqual(about, [{ severity: 'warning', line: i + 2, section: 'process.app', key, problem: TOLD }]);
    const written = problemsOf(t, `[process.app]\n${lines.join('').replace('%s', '%%s')}`);
    assert.deepEqual(
      written.filter(({ problem }) => problem.includes('%s')),
      [],
    );
  }
});

test('a problem of [process.default] is reported once, there', (t) => {
  const sections = '[process.default]\nhealth_check_command = test $(date +%s) -gt 5\n[process.a]\n[process.b]\n';
  const expected = { severity: 'warning', line: 2, section: 'process.default', key: 'health_check_command', problem: TOLD };
  assert.deepEqual(problemsOf(t, sections), [expected]);
  assert.deepEqual(problemsOf(t, sections.replace('[process.a]', '').replace('[process.b]', '')), [expected]);
});

test('a name that cannot stand for %s is reported at its own section, for the commands that may run', (t) => {
  const common = `[process.default]\nhealth_check_command = pgrep -x %s\nstart_command = exec %s\nrestart_strategy = process\n`;
  const own = '[process.web frontend]\nrestart_strategy = service\n[process.web]\n';
  const [told, ...others] = problemsOf(t, common + own).filter(({ problem }) => problem.includes('stand for %s'));
  assert.deepEqual(others, [], 'no start_command is run of a unit');
  assert(told);
  assert.deepEqual([told.line, told.section, told.key], [5, 'process.web frontend', 'health_check_command']);
  assert.match(told.problem, /^will be refused: the name "web frontend" cannot stand for %s in a command: set system_name/);
  for (const cured of [
    'system_name = web',
    'health_check_command = pgrep -x "$MONITOR_SYSTEM_NAME"',
    'health_check_command = date +%%s',
  ])
    assert.deepEqual(
      warningsOf(t, `${common}[process.web frontend]\nrestart_strategy = service\n${cured}\n`).filter((line) =>
        /stand for %s/.test(line),
      ),
      [],
    );
});

test('a name that is too long for pgrep and pkill is reported at its own section', (t) => {
  const common = '[process.default]\nhealth_check_command = pgrep -x %s\n';
  const told = problemsOf(t, `${common}[process.fifteen-letters]\n[process.sixteen-letters-]\n`);
  assert.deepEqual(told, [
    {
      severity: 'warning',
      line: 4,
      section: 'process.sixteen-letters-',
      key: 'health_check_command',
      problem:
        'pgrep finds nothing by the name "sixteen-letters-": the kernel keeps 15 bytes of a process\'s name (expected pgrep -f, or at most 15 bytes)',
    },
  ]);
  assert.deepEqual(warningsOf(t, `${common.replace('-x', '-f')}[process.sixteen-letters-]\n`), []);
  assert.equal(warningsOf(t, '[process.app]\nrestart_command = pkill a-name-that-is-too-long; app &\n').length, 1);
});

test('a %%s that was % and the name is reported at its line', (t) => {
  const told = problemsOf(t, `[process.app]\nrestart_strategy = custom\nrestart_command = echo \${f%%s}\n`);
  assert.deepEqual(
    told.map(({ line, problem }) => [line, problem]),
    [[3, `%%s in \${NAME%%s} is the text %s; write %$MONITOR_SYSTEM_NAME if a % and the process's name are meant`]],
  );
});

test('of what is inherited, one process gets the warnings that concern it, and not those of others', (t) => {
  const file = join(tempDir(t), 'config.ini');
  writeFileSync(
    file,
    `[database]
driver = sqlite
path = /tmp/a.db
[process.default]
restart_strategy = service
start_command = date +%s
[process.web]
[process.foo.slice]
[process.u32.timer]
restart_delay = 3
`,
    { mode: 0o600 },
  );
  const { document } = readSettings(file);
  const told = (name: string): string[] => document.problemsOf(name).map(({ key, problem }) => `${key}: ${problem}`);
  const formats = /^start_command: %s becomes the process's name in date/;
  for (const name of ['web', 'foo.slice', 'u32.timer', 'nobody'])
    assert.ok(
      told(name).some((line) => formats.test(line)),
      name,
    );
  const refused = (name: string): string[] => told(name).filter((line) => /slice|timer/.test(line));
  assert.deepEqual([refused('web'), refused('nobody')], [[], []]);
  assert.equal(told('web').filter((line) => /has no effect for/.test(line)).length, 1, told('web').join('\n'));
  assert.match(told('foo.slice').join('\n'), /restart_strategy: will be refused: "foo\.slice"/);
  assert.doesNotMatch(told('foo.slice').join('\n'), /u32|for web/);
  assert.match(told('u32.timer').join('\n'), /restart_strategy: will be refused: "u32\.timer"/);
});
