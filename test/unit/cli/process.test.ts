import assert from 'node:assert/strict';
import { chmodSync, chownSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { Orders } from '../../../src/control/orders.ts';
import { catches } from '../../helpers/caught-signals.ts';
import { cli, start } from '../../helpers/cli-process.ts';
import { startControl } from '../../helpers/control-world.ts';
import { someProcess, someStatus } from '../../helpers/scripted-orders.ts';
import { waitFor } from '../../helpers/wait-for.ts';

const isRoot = process.geteuid?.() === 0;
const NOBODY = 65_534;

async function daemon(t: TestContext, script: Partial<Orders> = {}) {
  const control = await startControl(t, script);
  const config = join(dirname(control.socket), 'config.ini');
  writeFileSync(config, `[control]\nsocket = ${control.socket}\n`, { mode: 0o600 });
  return { ...control, config };
}

const manyProcesses = (): Partial<Orders> => ({
  status: () => someStatus({ processes: Array.from({ length: 20_000 }, (_, i) => someProcess({ name: `process-${i}` })) }),
});

describe('the command line as a process', () => {
  it('writes a long answer whole before it ends', async (t) => {
    const { config } = await daemon(t, manyProcesses());
    const run = start(t, cli('status', '--json', '--config', config));
    assert.equal(await run.ended, 0);
    assert.equal(JSON.parse(run.output().stdout).processes.length, 20_000);
  });

  it('ends quietly when its reader leaves', async (t) => {
    const { config } = await daemon(t, manyProcesses());
    const line = `"$@" | head -1; echo "\${PIPESTATUS[0]}"`;
    const run = start(t, ['bash', '-c', line, 'bash', ...cli('status', '--config', config)]);
    assert.equal(await run.ended, 0);
    assert.match(run.output().stdout, /^monitor_service 1\.2\.3.*\n(0|141)\n$/);
    assert.equal(run.output().stderr, '');
    const watch = start(t, ['bash', '-c', line, 'bash', ...cli('status', '--watch', '--config', config)]);
    assert.equal(await watch.ended, 0);
    assert.match(watch.output().stdout, /\n141\n$/);
  });

  it('does not hide that its output was lost', async (t) => {
    const { config } = await daemon(t);
    const run = start(t, ['bash', '-c', '"$@" > /dev/full', 'bash', ...cli('status', '--config', config)]);
    assert.equal(await run.ended, 74);
    assert.match(run.output().stderr, /^monitor_service: the output could not be written: .*ENOSPC.*\n$/);
  });

  it('watches until Ctrl-C, through a restart of the daemon', async (t) => {
    const { config, server } = await daemon(t);
    const run = start(t, cli('status', '--watch', '--json', '--config', config));
    await waitFor('the first status', () => run.output().stdout.includes('"pid":4711'));
    await server.stop();
    await waitFor('a status without the daemon', () => run.output().stdout.includes('"pid":0'));
    run.child.kill('SIGINT');
    assert.equal(await run.ended, 'SIGINT');
    const lines = run.output().stdout.trimEnd().split('\n');
    assert.deepEqual(new Set(lines.map((line) => JSON.parse(line).pid)), new Set([4711, 0]));
  });

  it('runs the daemon until a signal', async (t) => {
    const run = start(t, cli('run'));
    // It listens before it does anything else; until then the signal just ends it.
    await waitFor('its listening for SIGHUP', () => catches(run.child.pid, 'SIGHUP'));
    run.child.kill('SIGTERM');
    assert.equal(await run.ended, 0);
  });

  describe('as another user', { skip: !isRoot && 'needs root' }, () => {
    const asNobody = { CLI_ENTRY_USER: String(NOBODY) };

    it('gets a message that it has no permission', async (t) => {
      const { socket, config } = await daemon(t);
      chmodSync(dirname(socket), 0o755);
      chmodSync(config, 0o644);
      const run = start(t, cli('status', '--config', config), asNobody);
      assert.equal(await run.ended, 77);
      assert.match(run.output().stderr, /^monitor_service: no permission to use \/.*control\.sock \(.*\)\n$/);
    });

    it('may give orders as a member of the group, knowing nothing of the configuration', async (t) => {
      const { socket, config } = await daemon(t);
      chmodSync(dirname(socket), 0o755);
      chmodSync(config, 0o644);
      chownSync(socket, 0, NOBODY);
      const run = start(t, cli('restart', 'nginx', '--config', config), asNobody);
      assert.equal(await run.ended, 0);
      chmodSync(config, 0o600);
      const blind = start(t, cli('status', '--config', config), asNobody);
      assert.equal(await blind.ended, 78);
      assert.match(blind.output().stderr, /cannot be read: permission denied \(run as root\)\n$/);
    });
  });
});
