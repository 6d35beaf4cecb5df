/**
 * The `skip` option of a test that needs a real part: `problem`, why that part cannot be had here, or false where there is none.
 * With CI=true nothing is skipped for that cause: the test runs, and fails.
 */
export function skipUnless(problem: string | undefined): string | false {
  return problem !== undefined && process.env.CI !== 'true' ? problem : false;
}
