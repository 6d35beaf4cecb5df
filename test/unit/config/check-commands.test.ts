import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkCommands } from '../../../src/config/check-commands.ts';
import { loadConfigText } from '../../../src/config/config-file.ts';

/** What is told of commands, `SECTION KEY: PROBLEM` each. */
function told(text: string): string[] {
  const document = loadConfigText('f', text);
  checkCommands(document, () => ['restart_command']);
  return document.problems.map(({ section, key, problem }) => `${section} ${key}: ${problem}`);
}

const EVALS = (innermost: string) => `x='y="${innermost}"; ${'eval $y; '.repeat(200)}'; ${'eval $x; '.repeat(200)}`;

test('for a command that could not be read to its end, the warning says what is not known, and only that', () => {
  const unread = 'process.a restart_command: is not checked to its end, because it is too long or runs too much by eval, sh -c';
  for (const [command, doubt] of [
    [EVALS('echo %s'), 'every %s in it stands for the name'],
    [EVALS('pgrep -x foo'), 'each name that it searches for has at most 15 bytes'],
    [`echo ${'x'.repeat(20_000)} %s`, 'every %s in it stands for the name'],
  ] as const) {
    const [only = '', ...more] = told(`[process.a]\nrestart_command = ${command}\n`);
    assert.deepEqual(more, []);
    assert.ok(only.startsWith(unread) && only.endsWith(`check yourself whether ${doubt}`), only);
  }
  // Nothing depends on it.
  assert.deepEqual(told(`[process.a]\nrestart_command = ${EVALS('echo a')}\n`), []);
  assert.deepEqual(told(`[process.a]\nrestart_command = echo ${'x'.repeat(20_000)}\n`), []);
});

test('what is found in it is reported all the same', () => {
  const [formats = '', unread = '', ...more] = told(`[process.a]\nrestart_command = date +%s; ${EVALS('echo %s')}\n`);
  assert.match(formats, /in date \+%s as well/);
  assert.match(unread, /is not checked to its end/);
  assert.deepEqual(more, []);
});

test('a file full of the worst commands is looked through soon, and one full of usual ones to its end', () => {
  const sections = (command: (at: number) => string): string =>
    Array.from({ length: 1000 }, (_, at) => `[process.p${at}]\nrestart_command = ${command(at)}\n`).join('');
  const usual = sections(
    (at) =>
      `sudo -u app sh -c "cd /opt/app && pkill -x %s; sleep 2; nohup /opt/%s/run --port 80 >/dev/null 2>&1 &"; x= echo $(hostname) ${at}`,
  );
  assert.deepEqual(told(usual), []);
  for (const worst of [
    (at: number) => `${EVALS('date +%s')} ${at}`.slice(0, 1000),
    (at: number) => `x='${'eval $y; '.repeat(40)}'; y='${'eval $z; '.repeat(40)}'; z='date +%s'; eval $x ${at}`,
    (at: number) => `${'sudo '.repeat(190)} pkill ${at}`,
    (at: number) => `${'find -exec '.repeat(85)} date +%s ${at}`,
    (at: number) => `${'`'.repeat(900)} %s ${at}`,
  ]) {
    const started = process.cpuUsage();
    told(sections(worst));
    const { user, system } = process.cpuUsage(started);
    // Unbounded it is minutes; of what is measured here most is the file itself.
    assert.ok((user + system) / 1000 < 5000, `${(user + system) / 1000} ms`);
  }
  // Whoever inherits a command does not have it read again.
  const inherited = `[process.default]\nrestart_command = ${"eval 'sudo pkill x%s'; ".repeat(800)}\n`;
  assert.deepEqual(told(`${inherited}${sections(() => '').replaceAll('restart_command = \n', '')}`), []);
});

test('a command that no shell can read is reported at its line, once for all who inherit it', () => {
  assert.deepEqual(
    told("[process.default]\nrestart_command = pkill -f it's %s\n[process.a]\n[process.b]\nstart_command = (a\n"),
    [
      "process.default restart_command: cannot be read by a shell (expected a closing ', got the end of the command)",
      'process.b start_command: cannot be read by a shell (expected a closing ), got the end of the command)',
    ],
  );
});

test('a variable that the bash service set is reported once, at the command', () => {
  const inherited = '[process.default]\nrestart_command = systemctl restart $process_name\n[process.a]\n[process.b]\n';
  const [only = '', ...more] = told(`${inherited}health_check_command = pgrep -x "$MONITOR_SYSTEM_NAME"\n`);
  assert.match(only, /^process\.default restart_command: \$process_name is empty, .*write %s/);
  assert.deepEqual(more, []);
});
