import { after, before, beforeEach } from 'node:test';
import { type Mariadb, mariadbProblem, startMariadb } from './mariadb.ts';
import { skipUnless } from './requirement.ts';

/** A server for all tests of a file: started before the first of them, stopped after the last. */
export interface SharedMariadb {
  /** The `skip` option of tests that need it. */
  readonly skip: string | false;
  /** Throws where it is asked for outside a test. */
  server(): Mariadb;
}

/** To be called once, at the top of a test file. */
export function shareMariadb(args: readonly string[] = []): SharedMariadb {
  const skip = skipUnless(mariadbProblem());
  let server: Mariadb | undefined;
  before(async () => {
    // Written at each commit: what a test was told is done outlives a kill of the server.
    if (skip === false) server = await startMariadb({ args: ['--innodb-flush-log-at-trx-commit=2', ...args] });
  });
  // Whatever the test before did to it.
  beforeEach(async () => {
    server?.resume();
    await server?.sql('SELECT 1').catch(() => server?.restart());
  });
  after(async () => {
    await server?.stop();
  });
  return {
    skip,
    server: () => {
      if (server === undefined) throw new Error('the server runs only while the tests of the file do');
      return server;
    },
  };
}
