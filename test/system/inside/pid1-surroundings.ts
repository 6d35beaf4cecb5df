import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, realpathSync, renameSync } from 'node:fs';
import { constants } from 'node:os';
import { basename } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { LaunchRecord } from '../../../src/core/program/launch-record.ts';
import type { CommandRunner } from '../../../src/system/runs/runner.ts';
import { shellPath } from '../../../src/system/spawn/shell.ts';
import { never } from '../../helpers/strategy-parts.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { kinds, openWay, ourUnits, WAYS, type Way, ways } from './pid1-ways.ts';
import { shellCommand } from './runs.ts';

// Runs under a real systemd, where it is PID 1: see pid1.test.ts. The last tests hide bash: nothing may run beside them.

const runners: Readonly<Record<string, (way: Way) => CommandRunner>> = {
  'through systemd': ({ commands }) => commands,
  directly: ({ direct }) => direct,
};
/** More than that at once is another test. */
const AT_ONCE = 32;

for (const shell of ['bash', 'sh']) {
  const within = shell === 'bash' ? test : withoutBash;

  for (const [how, runnerOf] of Object.entries(runners)) {
    for (const kind of kinds) {
      within(`${shell}, ${how}, ${kind}: standard input is empty, and no descriptor of ours is inherited`, async (t) => {
        const way = openWay(t);
        const run = (line: string, user?: string) => runnerOf(way).run(shellCommand(line, { kind, user }), never);
        const inputs = await run('cat; readlink /proc/self/fd/0; read -r line; echo $?; echo "[$line]"');
        assert.deepEqual(inputs, { kind: 'exited', exitCode: 0, output: '/dev/null\n1\n[]\n' });
        for (const user of [undefined, 'nobody']) {
          const listed = await run(LIST, user);
          assert(listed.kind === 'exited' && listed.exitCode === 0, JSON.stringify(listed));
          const descriptors = descriptorsIn(listed.output);
          const expected = kind === 'check' ? /^pipe:/ : /\/run-[-0-9a-f]+(?:\.\d+\.\d+)?$/;
          for (const fd of ['1', '2']) assert.match(descriptors.get(fd) ?? '', expected);
          // What a command that is run directly has from whoever started these tests is not ours.
          const foreign =
            how === 'directly' ? descriptorsIn(execFileSync('sh', ['-c', LIST], { encoding: 'utf8' })) : new Map();
          const own = [...descriptors].filter(([fd, path]) => foreign.get(fd) !== path).map(([fd]) => fd);
          assert.deepEqual([own.filter((fd) => fd !== '0'), descriptors.get('0')], [['1', '2'], '/dev/null'], listed.output);
        }
        const text = await run(
          'echo "$0" | grep -c . ; echo "$#"; echo "$-" | grep -c i; ps -o args= -p $$ | grep -c echo-mark; :',
        );
        assert.deepEqual(text, { kind: 'exited', exitCode: 0, output: '1\n0\n0\n0\n' });
      });
    }
  }

  for (const by of ways) {
    within(`${shell}, over ${by}: every exit code and every deadly signal is told as it was`, async (t) => {
      const { run } = openWay(t, WAYS[by]);
      const codes = Array.from({ length: 256 }, (_, exitCode) => exitCode);
      for (const kind of kinds) {
        // For a shell that is not bash some of them are enough.
        const some = shell === 'bash' ? codes : [0, 1, 2, 126, 127, 128, 137, 143, 203, 255];
        await inTurns(some, async (exitCode) => {
          assert.deepEqual(await run(`exit ${exitCode}`, { kind }), { kind: 'exited', exitCode, output: '' });
        });
        await inTurns(DEADLY, async ([signal, number]) => {
          const killed = await run(`echo before; kill -${number} $$; echo after`, { kind });
          assert.deepEqual(killed, { kind: 'signaled', signal, output: 'before\n' });
        });
      }
      await waitFor('no unit is left', () => ourUnits().length === 0);
    });
  }

  within(`${shell}: a program finds no input, no descriptor of ours, and its own environment`, async (t) => {
    const way = openWay(t);
    chmodSync(way.dir, 0o777);
    const launch = (systemName: string, what: Parameters<typeof way.programs.launch>[0]['what']) => {
      t.after(() => way.programs.retire(systemName, 30_000, never));
      return way.programs.launch({ systemName, runId: 'surroundings', timeoutMs: 60_000, what }, 300, never);
    };
    for (const user of [undefined, 'nobody']) {
      const name = `fds-${user ?? 'root'}`;
      const line = `cat; ls /proc/self/fd > ${way.dir}/${name}; readlink /proc/$$/fd/0 >> ${way.dir}/${name}; exec sleep 600`;
      const launched = await launch('pid1-line', { kind: 'line', line, environment: {}, user });
      assert(launched.kind === 'launched' && launched.pid !== undefined, JSON.stringify(launched));
      await waitFor('what it found', () => way.text(name).endsWith('/dev/null\n'));
      assert.equal(way.text(name), '0\n1\n2\n3\n/dev/null\n');
    }
    const failed = await launch('pid1-line', { kind: 'line', line: 'echo no luck; exit 9', environment: {}, user: undefined });
    assert.deepEqual(failed, { kind: 'failed', reason: 'exit code 9: no luck', output: ['no luck'] });

    const program = `${way.dir}/my program`;
    copyFileSync('/usr/bin/sleep', program);
    const record: LaunchRecord = {
      argv: [program, '600'],
      executable: program,
      cwd: way.dir,
      environment: [`A=it's "$HOME" %n`, 'EMPTY='],
      uid: 65534,
      gid: 65534,
      groups: [],
    };
    const recorded = await launch('pid1-record', { kind: 'argv', record });
    assert(recorded.kind === 'launched' && recorded.pid !== undefined, JSON.stringify(recorded));
    const seen = await way.run(
      `tr '\\0' '\\n' < /proc/${recorded.pid}/cmdline; ls /proc/${recorded.pid}/fd; tr '\\0' '\\n' < /proc/${recorded.pid}/environ`,
    );
    assert(seen.kind === 'exited' && seen.output.startsWith(`${program}\n600\n0\n1\n2\n`), JSON.stringify(seen));
    assert(seen.output.includes(`\nA=it's "$HOME" %n\n`) && seen.output.includes('\nEMPTY=\n'), seen.output);
    const renamed = await launch('pid1-record', { kind: 'argv', record: { ...record, argv: ['another name', '600'] } });
    if (shell === 'bash') assert(renamed.kind === 'launched' && renamed.pid !== undefined, JSON.stringify(renamed));
    else assert(renamed.kind === 'failed' && /bash/.test(renamed.reason), JSON.stringify(renamed));
  });
}

test('bash is back', () => {
  assert.match(shellPath(), /\/bash$/);
});

const LIST = 'ls -l /proc/self/fd';

/** By their numbers, without that of the folder itself, which is ls's own. */
function descriptorsIn(listing: string): Map<string, string> {
  const lines = listing.split('\n').flatMap((line) => [/ (\d+) -> (.*)$/.exec(line)].filter((found) => found !== null));
  return new Map(
    lines.map(([, fd = '', path = '']) => [fd, path] as const).filter(([, path]) => !/^\/proc\/\d+\/fd$/.test(path)),
  );
}

/** Signals whose default is to end a process, each by one name; not SIGQUIT, which bash ignores. */
const DEADLY = Object.entries(constants.signals).filter(
  ([name, number]) => number < 32 && !/^SIG(?:CHLD|CONT|IOT|POLL|QUIT|STOP|TSTP|TTIN|TTOU|UNUSED|URG|WINCH)$/.test(name),
);

async function inTurns<T>(values: readonly T[], action: (value: T) => Promise<void>): Promise<void> {
  const left = [...values];
  const worker = async (): Promise<void> => {
    for (let value = left.shift(); value !== undefined; value = left.shift()) await action(value);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** A test on a machine that has no bash, for as long as it takes. */
function withoutBash(name: string, action: (t: TestContext) => Promise<void>): void {
  test(name, async (t) => {
    const back = hideBash();
    try {
      assert.equal(shellPath(), '/bin/sh');
      assert.notEqual(basename(realpathSync('/bin/sh')), 'bash');
      await action(t);
    } finally {
      back();
    }
  });
}

function hideBash(): () => void {
  const sh = realpathSync('/bin/sh');
  // Where sh is bash under another name, it gets a file of its own.
  if (/bash/.test(basename(sh))) {
    copyFileSync(sh, '/bin/sh.own');
    renameSync('/bin/sh.own', '/bin/sh');
  }
  const paths = ['/usr/bin/bash', '/usr/local/bin/bash', '/bin/bash'];
  const hidden: string[] = [];
  for (const path of paths) {
    if (!existsSync(path)) continue;
    renameSync(path, `${path}.hidden`);
    hidden.unshift(path);
  }
  return () => {
    for (const path of hidden) renameSync(`${path}.hidden`, path);
  };
}
