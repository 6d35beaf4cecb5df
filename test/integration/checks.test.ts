import assert from 'node:assert/strict';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { CheckedOne } from '../../src/control/orders/check.ts';
import type { DaemonStatus } from '../../src/control/status.ts';
import { DaemonWorld } from '../helpers/daemon-world.ts';
import { shareMariadb } from '../helpers/shared-mariadb.ts';

// The whole daemon with checks. What else there is to them: unit/detectors/checks/.

const { skip, server } = shareMariadb();
const options = { skip, timeout: 300_000 };

/** A check that finds the file `up` of the world, and raises the alarm of `web`. */
const page = { type: 'command', process: 'web', interval: 1, retry_interval: 1, start_grace: 1, timeout: 60 };

async function checked(world: DaemonWorld, ...args: string[]): Promise<{ code: number | null; checks: CheckedOne[] }> {
  const { code, stdout, stderr } = await world.cli('check', '--json', ...args);
  return { code, checks: stdout === '' ? assert.fail(stderr) : (JSON.parse(stdout) as { checks: CheckedOne[] }).checks };
}

test(
  'a check that fails raises the alarm, which is cleared once it passes; why tells it; a reload takes it away',
  options,
  async (t) => {
    const world = await DaemonWorld.open(t, server(), { monitor: { check_interval: 86_400 } });
    const up = join(world.dir, 'up');
    writeFileSync(up, '');
    const row = await world.add('web');
    world.configure({
      'process.web': { restart_command: `(sleep 1; touch ${up}) </dev/null >/dev/null 2>&1 &`, health_check_timeout: 60 },
      'check.page': { ...page, command: `test -e ${up} || { echo no page >&2; exit 1; }` },
      'check.slow': { type: 'command', command: 'echo warm; exit 1', exit_codes: 'nagios', interval: 1 },
    });
    const daemon = await world.start();
    const states = async (): Promise<Record<string, string>> => {
      const { stdout } = await world.cli('status', '--json');
      const { checks } = JSON.parse(stdout) as DaemonStatus;
      return Object.fromEntries((checks ?? []).map(({ name, state }) => [name, state]));
    };
    await world.until('both checks are known', async () => {
      const { page: first, slow } = await states();
      return first === 'ok' && slow === 'failing';
    });
    const before = await checked(world);
    assert.equal(before.code, 1);
    assert.deepEqual(
      before.checks.map(({ name, result, isWarning, reason }) => [name, result, isWarning, reason]),
      [
        ['page', 'ok', false, null],
        ['slow', 'failing', true, 'warm'],
      ],
    );
    assert.equal((await checked(world, 'page')).code, 0);
    rmSync(up);
    await world.until('the check has healed it', async () => {
      const { alarma, notes } = await world.row(row);
      return alarma === 0 && /^check page: exit code 1: no page - Restarted at /.test(notes ?? '');
    });
    assert(existsSync(up), 'it was cleared only once the page was there');
    await world.until('the check is ok again', async () => (await states()).page === 'ok');
    const story = await world.cli('why', 'web');
    assert.match(
      story.stdout,
      /first sign: the check page\n.*check page is failing: exit code 1: no page\n.*alarm raised by check page, in the store/,
    );
    assert.match(story.stdout, /check page is ok\n/);
    assert.equal((await world.cli('why', 'page')).stdout.split('\n')[0], story.stdout.split('\n')[0], 'by its check too');
    const warned = await world.cli('why', 'slow');
    assert.match(warned.stdout, /^slow: incident \d+, .*open for .*\nfirst sign: the check slow\n.*check slow warns: warm\n/);
    world.configure({ 'check.page': { enabled: false } });
    assert.equal((await world.cli('reload')).code, 0);
    rmSync(up);
    await world.until('it is not checked any more', async () => (await states()).page === undefined);
    assert.equal((await world.row(row)).alarma, 0);
    assert.equal((await world.cli('check', 'page')).code, 66);
    await daemon.stop();
  },
);

test('without a daemon the command looks itself, and says what it cannot know', options, async (t) => {
  const world = await DaemonWorld.open(t, server(), {
    'check.gone': { type: 'command', command: '/nonexistent/plugin' },
    'check.well': { type: 'command', command: 'true' },
    'check.some': { type: 'group', members: 'gone, well', min_ok: 1 },
    'check.host': { type: 'host', disk_percent: 'off', inode_percent: 'off', oom_kills: 'off', zombies: 'off', timeout: 60 },
  });
  const { code, checks } = await checked(world);
  assert.notEqual(code, 0);
  const results = new Map(checks.map(({ name, result }) => [name, result]));
  assert.deepEqual(
    ['gone', 'well', 'some'].map((name) => results.get(name)),
    ['unknown', 'ok', 'ok'],
  );
  assert(['cpu_percent', 'memory_percent', 'swap_percent'].every((measure) => results.has(`host/${measure}`)));
  assert.equal(results.has('host'), false);
  const part = await checked(world, 'host/swap_percent');
  assert.deepEqual(
    part.checks.map(({ name }) => name),
    ['host/swap_percent'],
  );
  assert.equal((await world.cli('check', 'host/nothing')).code, 66);
});
