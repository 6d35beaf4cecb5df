import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { bundle } from '../helpers/daemon.ts';
import { DaemonWorld } from '../helpers/daemon-world.ts';
import { shareMariadb } from '../helpers/shared-mariadb.ts';
import { noTinyDisk } from '../helpers/tiny-disk.ts';

const { skip, server } = shareMariadb();

test('on a full disk, log and memory included, the healing continues', {
  skip: skip || noTinyDisk,
  timeout: 300_000,
}, async (t) => {
  const world = await DaemonWorld.open(t, server());
  const disk = join(world.dir, 'disk');
  mkdirSync(disk);
  world.configure({
    monitor: { state_dir: join(disk, 'state'), flap_recoveries: 0 },
    logging: { file: join(disk, 'monitor.log') },
  });
  const id = await world.add('a');

  // A file system that only the daemon sees.
  const script = 'mount -t tmpfs -o size=1m,mode=700 tmpfs "$1" && exec "$2" "$3" run --config "$4"';
  const argv = ['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', disk, process.execPath, bundle];
  const daemon = spawn('unshare', [...argv, world.configFile], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => void daemon.kill('SIGKILL'));
  let [stdout, stderr] = ['', ''];
  daemon.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  daemon.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  await world.until('it has started', () => / started \(pid/.test(stdout));
  const seen = join(`/proc/${daemon.pid}/root`, disk);
  const logged = (text: string): number => {
    const file = join(seen, 'monitor.log');
    return existsSync(file) ? readFileSync(file, 'utf8').split(text).length - 1 : 0;
  };
  await world.until('the log is written', () => logged(' started ') === 1);

  fillUp(join(seen, 'ballast'));
  // What is left of the log's last page is still written.
  const rounds = 12;
  for (let round = 1; round <= rounds; round++) {
    await world.raise(id, `round ${round}`);
    await world.allClear();
  }
  assert.equal(world.restarts().length, rounds);
  assert.equal(stderr.match(/Log file .*cannot be written/g)?.length, 1, `one complaint: ${stderr}`);
  assert.match((await world.status()).unsaved ?? '', /^\S+state\.db cannot be used \(/);

  rmSync(join(seen, 'ballast'));
  await world.raise(id, 'after');
  await world.allClear();
  await world.until('the log is written again, and nothing of it is lost', () => logged('Alarm cleared for a') === rounds + 1);
  const ended = once(daemon, 'exit');
  daemon.kill('SIGTERM');
  assert.deepEqual(await ended, [0, null]);
  await world.nothingLeft();
});

function fillUp(path: string): void {
  try {
    for (let size = 65_536; size >= 1; size /= 2) {
      try {
        for (;;) writeFileSync(path, Buffer.alloc(size), { flag: 'a' });
      } catch {
        // Smaller bits may still fit.
      }
    }
  } finally {
    assert.throws(() => writeFileSync(`${path}2`, 'x'), { code: 'ENOSPC' });
  }
}
