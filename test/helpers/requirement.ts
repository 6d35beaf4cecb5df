import { spawnSync } from 'node:child_process';

/**
 * The `skip` option of a test that needs a real part: `problem`, why that part cannot be had here, or false where there is none.
 * With CI=true nothing is skipped for that cause: the test runs, and fails.
 */
export function skipUnless(problem: string | undefined): string | false {
  return problem !== undefined && process.env.CI !== 'true' ? problem : false;
}

/** The same of a test that needs `program`, which is looked for in PATH. */
export function missing(program: string): string | false {
  const found = spawnSync('sh', ['-c', 'command -v -- "$1"', 'sh', program]).status === 0;
  return skipUnless(found ? undefined : `${program} is not installed`);
}

/** The options of a test that needs root. */
export const asRoot = { skip: skipUnless(process.geteuid?.() === 0 ? undefined : 'needs root') };
