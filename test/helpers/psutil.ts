import { spawnSync } from 'node:child_process';

/**
 * A Python that has psutil: the one in PATH, else the system's own, which the distribution's package (python3-psutil) is for.
 * Undefined where neither has.
 */
export function pythonWithPsutil(): string | undefined {
  return ['python3', '/usr/bin/python3'].find((python) => spawnSync(python, ['-c', 'import psutil']).status === 0);
}
