import { execFileSync } from 'node:child_process';

/** Why a file system of our own cannot be mounted here; false where it can. With CI=true the test runs, and fails, instead. */
export const noTinyDisk = process.geteuid?.() === 0 || process.env.CI === 'true' ? false : 'needs root to mount a tmpfs';

/**
 * Runs `script` (TypeScript, a file's path) with `dir` as its first argument, `dir` being a file system of `size` that nobody
 * else sees; returns what it printed, parsed as JSON. Throws where it fails.
 */
export function runOnTinyDisk(script: string, dir: string, size: string): unknown {
  const shell = 'mount -t tmpfs -o size="$1",mode=700 tmpfs "$2" && exec "$3" "$4" "$2"';
  const args = ['--mount', '--propagation', 'private', 'sh', '-c', shell, 'sh', size, dir, process.execPath, script];
  return JSON.parse(execFileSync('unshare', args, { encoding: 'utf8', timeout: 60_000 }));
}
