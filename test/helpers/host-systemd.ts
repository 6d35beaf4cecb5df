import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, realpathSync } from 'node:fs';
import { type Enclosure, missingPrograms, openEnclosure } from './enclosure.ts';
import { processEventsProblem } from './process-event-recorder.ts';

/** Why systemd cannot be had where the kernel tells of processes, in one line; undefined where it can. */
export async function hostSystemdProblem(): Promise<string | undefined> {
  if (process.geteuid?.() !== 0) return 'a systemd beside the process events of the kernel needs root';
  const missing = missingPrograms(['mount', 'systemctl']);
  if (systemd === undefined) missing.push('systemd');
  if (missing.length > 0) return `a systemd beside the process events of the kernel needs ${missing.join(', ')}`;
  if (!['', '/systemd', '/unified'].some((hierarchy) => isWritable(`/sys/fs/cgroup${hierarchy}/cgroup.procs`)))
    return 'a systemd beside the process events of the kernel needs control groups that may be written to';
  const mount = ['--mount', '--propagation', 'private', '--', 'mount', '-t', 'tmpfs', 'monitor-test', '/run'];
  const { status, stderr } = spawnSync('unshare', mount, { encoding: 'utf8' });
  if (status !== 0) return `a systemd beside the process events of the kernel needs a mount namespace: ${stderr.trim()}`;
  return processEventsProblem();
}

/**
 * Starts a systemd (some 0.2 s) whose units are processes of this machine like any other. Of what is in /tmp they see the
 * folders of `shown` alone. It is gone once this process is, however it ends.
 */
export function bootHostSystemd(shown: readonly string[]): Promise<Enclosure> {
  const folders = shown.map((folder) => realpathSync(folder));
  return openEnclosure('host-systemd.sh', [systemd ?? '', ...folders], ['--mount']);
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

const systemd = ['/usr/lib/systemd/systemd', '/lib/systemd/systemd'].find((path) => existsSync(path));
