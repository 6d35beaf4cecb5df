import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ProcessTable } from '../../../src/system/proc/table.ts';
import type { CommandResult } from '../../../src/system/spawn/command-result.ts';
import { appUnit, runUnit } from '../../../src/system/systemd/unit/name.ts';
import { never } from '../../helpers/strategy-parts.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { kinds, openWay, ourUnits, WAYS, type Way, ways } from './pid1-ways.ts';

// Runs under a real systemd, where it is PID 1: see pid1.test.ts.

const SECRETS = { text: 'Text-Secret-91ab', environment: 'Environment-Secret-47cd', careless: 'Careless-Secret-03ef' };
const NAME = 'payroll-nightly-job';
const STRANGER = join(import.meta.dirname, 'pid1-stranger.ts');

for (const by of ways) {
  test(`what a command or a program is given, its text and its environment, nobody else sees: over ${by}`, async (t) => {
    const way = openWay(t, WAYS[by]);
    const running = await startAll(t, way);
    startCareless(t);
    const { units } = running;
    const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups', '--no-new-privs'];
    const argv = [...nobody, process.execPath, STRANGER, ...units, CARELESS];
    const seen = execFileSync('setpriv', argv, { encoding: 'latin1', maxBuffer: 512 * 1024 * 1024 });
    assert.match(seen, /^uid 65534$/m);
    // He does look, and finds what is to be found.
    for (const unit of units) assert(seen.includes(unit), `he knows of ${unit}`);
    const places = count(seen, SECRETS.careless);
    assert(places >= 5, `he finds what a careless program is told in ${places} places`);
    for (const secret of [SECRETS.text, SECRETS.environment]) assert.equal(count(seen, secret), 0, around(seen, secret));

    for (const [what, text] of Object.entries(seenByRoot(units))) {
      assert(text.length > 0, what);
      for (const secret of [SECRETS.text, SECRETS.environment])
        assert.equal(count(text, secret), 0, what + around(text, secret));
    }
    await running.end();
  });
}

test('the unit of a program is named after it; none of our other arguments contains its name, so that it matches itself alone', async (t) => {
  const way = openWay(t);
  const { units, end } = await startAll(t, way);
  assert(units.includes(`monitor_service-app-${NAME.replaceAll('-', '\\x2d')}.service`), units.join());
  for (const unit of units) {
    for (const property of ['ExecStart', 'ExecStopPost', 'Environment', 'StandardInputData', 'StandardInputText']) {
      const shown = execFileSync('systemctl', ['show', `--property=${property}`, unit], { encoding: 'utf8' });
      assert.doesNotMatch(shown, new RegExp(`${NAME}|${SECRETS.text}|${SECRETS.environment}`), `${unit}: ${shown}`);
    }
  }
  assert.equal(
    execFileSync('sh', ['-c', `pgrep -f -- "${NAME.slice(0, 5)}""${NAME.slice(5)}" || :`], { encoding: 'utf8' }),
    '',
  );
  const post = execFileSync('systemctl', ['show', '--property=ExecStopPost', ...units], { encoding: 'utf8' });
  assert.match(post, /argv\[\]=/, 'there is one, of the action');
  await end();
});

interface Running {
  /** Of a check, an action, a line and a recorded program. */
  readonly units: readonly string[];
  /** Lets all of them go, and sees that they were told what was meant for them. */
  end(): Promise<void>;
}

/** Commands and programs that hold the secrets for as long as they are wanted. */
async function startAll(t: TestContext, way: Way): Promise<Running> {
  const environment = { TOKEN: SECRETS.environment, MONITOR_PROCESS_NAME: NAME };
  const done = `printf '%s %s' '${SECRETS.text}' "$TOKEN"`;
  const wait = (name: string) => `touch ${name}; until [ -e go ]; do sleep 0.05; done`;
  const runs = kinds.map((kind) => {
    const runId = `secret-${kind}-${process.pid}`;
    const how = { kind, runId, environment, description: `restart_command of ${NAME}`, timeoutMs: 120_000 };
    return { unit: runUnit(runId), result: way.run(`${wait(kind)}; ${done}`, how) };
  });
  const launch = (systemName: string, what: Parameters<typeof way.programs.launch>[0]['what']) => {
    t.after(() => way.programs.retire(systemName, 30_000, never));
    return way.programs.launch({ systemName, runId: 'secret', timeoutMs: 60_000, what }, 200, never);
  };
  const line = `cd ${way.dir}; ${wait('line')}; ${done} > told; exec sleep 600`;
  const program = {
    argv: ['sleep', '600'],
    executable: '/usr/bin/sleep',
    cwd: '/',
    environment: [`TOKEN=${SECRETS.environment}`, `TEXT=${SECRETS.text}`],
    uid: 0,
    gid: 0,
    groups: [],
  };
  const launched = [
    await launch(NAME, { kind: 'line', line, environment, user: undefined }),
    await launch(`${NAME}2`, { kind: 'argv', record: program }),
  ];
  for (const result of launched) assert(result.kind === 'launched' && result.pid !== undefined, JSON.stringify(result));
  for (const name of [...kinds, 'line']) await waitFor(name, () => existsSync(join(way.dir, name)));
  return {
    units: [...runs.map(({ unit }) => unit), appUnit(NAME), appUnit(`${NAME}2`)],
    end: async () => {
      await way.run('touch go');
      const told = `${SECRETS.text} ${SECRETS.environment}`;
      const expected: CommandResult = { kind: 'exited', exitCode: 0, output: told };
      for (const { result } of runs) assert.deepEqual(await result, expected);
      await waitFor('the program has its secrets', () => way.text('told') === told);
      for (const systemName of [NAME, `${NAME}2`]) await way.programs.retire(systemName, 30_000, never);
      await waitFor('no unit is left', () => ourUnits().length === 0);
    },
  };
}

const CARELESS = 'pid1-careless.service';

/** A unit as systemd-run makes it, secrets and all: what there is to be found. */
function startCareless(t: TestContext): void {
  const line = `: ${SECRETS.careless}; sleep 600; :`;
  const setenv = `--setenv=TOKEN=${SECRETS.careless}`;
  execFileSync('systemd-run', ['--quiet', `--unit=${CARELESS}`, setenv, '/bin/sh', '-c', line], { stdio: 'ignore' });
  t.after(() => execFileSync('systemctl', ['stop', CARELESS]));
}

/** What is no secret to root either, but for the environment of each process, which is root's to see. */
function seenByRoot(units: readonly string[]): Record<string, string> {
  const read = (...argv: string[]): string => {
    const [file = '', ...args] = argv;
    return execFileSync(file, args, { encoding: 'latin1', maxBuffer: 256 * 1024 * 1024 });
  };
  const transient = '/run/systemd/transient';
  const texts: Record<string, string> = {
    'systemctl show': read('systemctl', 'show', '--all', ...units),
    'systemctl show *': read('systemctl', 'show', '*'),
    'systemctl cat': read('systemctl', 'cat', ...units),
    ps: read('ps', 'auxww'),
    journal: read('journalctl', '--no-pager', '--all', '--output=export'),
  };
  for (const name of readdirSync(transient)) {
    const path = join(transient, name);
    if (name.endsWith('.service')) texts[path] = readFileSync(path, 'latin1');
  }
  for (const { pid, argv } of new ProcessTable().list(['argv'])) {
    if (argv !== undefined && argv.length > 0) texts[`arguments of ${pid}`] = argv.join('\0');
  }
  return texts;
}

function count(text: string, word: string): number {
  return text.split(word).length - 1;
}

/** For the message of a failure: where it stands. */
function around(text: string, word: string): string {
  const at = text.indexOf(word);
  return at < 0 ? '' : text.slice(Math.max(at - 1000, 0), at + 200);
}
