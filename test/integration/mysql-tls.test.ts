import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { StoreError } from '../../src/core/errors.ts';
import type { MysqlEndpoint } from '../../src/stores/mysql/endpoints.ts';
import type { MysqlOptions } from '../../src/stores/mysql/options.ts';
import { MysqlStore } from '../../src/stores/mysql/store.ts';
import { type Mariadb, mariadbProblem, startMariadbs } from '../helpers/mariadb.ts';
import { missing, skipUnless } from '../helpers/requirement.ts';
import { mysqlOptions } from '../helpers/store-worlds.ts';

describe('mysql over TLS', { skip: skipUnless(mariadbProblem()) || missing('openssl') }, () => {
  let server: Mariadb;
  /** Its certificate is for another host; so is its authority. */
  let stranger: Mariadb;
  /** No TLS. */
  let plain: Mariadb;
  before(async () => {
    [server, stranger, plain] = await startMariadbs([
      { tls: ['IP:127.0.0.1', 'DNS:server.test'] },
      { tls: ['DNS:localhost', 'DNS:stranger.test'] },
      {},
    ]);
    for (const one of [server, stranger, plain]) {
      await one.sql("CREATE DATABASE v_process_monitor; CREATE USER m@'%' IDENTIFIED BY 's3cret'; GRANT ALL ON *.* TO m@'%'");
      await one.sql('CREATE TABLE PROCESE (process_id INT, process_name TEXT)', 'v_process_monitor');
      await one.sql('CREATE TABLE STATUS_PROCESS (process_id INT, alarma INT, sound INT, notes TEXT)', 'v_process_monitor');
    }
    await server.sql("ALTER USER m@'%' REQUIRE SSL");
  });
  after(() => Promise.all([server?.stop(), stranger?.stop(), plain?.stop()]));

  const at = (to: Mariadb, host = '127.0.0.1'): MysqlEndpoint[] => [{ kind: 'tcp', host, port: to.port }];
  const ca = (of: Mariadb): string => readFileSync(of.ca ?? '', 'utf8');
  const poll = async (to: Mariadb, change: Partial<MysqlOptions>): Promise<void> => {
    const store = new MysqlStore(mysqlOptions(to, { user: 'm', password: 's3cret', endpoints: at(to), ...change }));
    try {
      assert.deepEqual((await store.readAlarms()).rows, []);
    } finally {
      await store.close();
    }
  };
  const refused = (fault: string, words: RegExp) => (error: unknown) => {
    assert.ok(error instanceof StoreError);
    assert.deepEqual([error.fault, words.test(error.message)], [fault, true], error.message);
    return true;
  };

  test('ssl = required encrypts, whoever signed', async () => {
    await assert.rejects(poll(server, { ssl: 'off' }), refused('denied', /Access denied/));
    await poll(server, { ssl: 'required' });
    await poll(stranger, { ssl: 'required' });
    await poll(server, { ssl: 'required', compress: true });
  });

  test('ssl = required does not continue without encryption', async () => {
    await assert.rejects(poll(plain, { ssl: 'required' }), refused('failed', /does not support TLS/));
  });

  test('ssl = verify takes the right certificate, for an address and for a name', async () => {
    await poll(server, { ssl: 'verify', ca: ca(server) });
    await poll(stranger, { ssl: 'verify', ca: ca(stranger), endpoints: at(stranger, 'localhost') });
  });

  test('ssl = verify refuses an unknown authority', async () => {
    await assert.rejects(poll(server, { ssl: 'verify', ca: ca(stranger) }), refused('failed', /certificate/));
    await assert.rejects(poll(server, { ssl: 'verify' }), refused('failed', /certificate/));
  });

  test('ssl = verify refuses a certificate for another name, and one for localhost at an address', async () => {
    await assert.rejects(poll(stranger, { ssl: 'verify', ca: ca(stranger) }), refused('failed', /127\.0\.0\.1/));
    await assert.rejects(
      poll(server, { ssl: 'verify', ca: ca(server), endpoints: at(server, 'localhost') }),
      refused('failed', /localhost/),
    );
  });

  test('over a Unix socket it is the certificate that is checked, not a name', async () => {
    const endpoints: MysqlEndpoint[] = [{ kind: 'socket', path: server.socket, optional: false }];
    await poll(server, { ssl: 'verify', ca: ca(server), endpoints });
    await assert.rejects(poll(server, { ssl: 'verify', ca: ca(stranger), endpoints }), refused('failed', /certificate/));
  });

  test('refused logins do no harm, over TLS and without, by TCP and by socket', async () => {
    const socket: MysqlEndpoint[] = [{ kind: 'socket', path: server.socket, optional: false }];
    for (let i = 0; i < 20; i++) {
      for (const endpoints of [at(server), socket]) {
        for (const ssl of ['off', 'required'] as const) {
          await assert.rejects(poll(server, { ssl, endpoints, password: 'wrong' }), refused('denied', /Access denied/));
        }
      }
    }
  });

  test('a frozen server does not hold up an encrypted call', { timeout: 300_000 }, async (t) => {
    const short = { connectTimeoutMs: 500, queryTimeoutMs: 500, ssl: 'required', user: 'm', password: 's3cret' } as const;
    const store = new MysqlStore(mysqlOptions(server, { endpoints: at(server), ...short }));
    t.after(() => store.close());
    (await store.readAlarms()).rows;
    t.after(() => server.resume());
    await server.pause();
    await assert.rejects(store.readAlarms(), refused('timeout', /no answer/));
    await assert.rejects(store.readAlarms(), refused('unreachable', /./));
    server.resume();
    assert.deepEqual((await store.readAlarms()).rows, []);
  });
});
