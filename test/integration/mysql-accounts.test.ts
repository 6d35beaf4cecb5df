import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import type { MysqlEndpoint } from '../../src/stores/mysql/endpoints.ts';
import type { MysqlOptions } from '../../src/stores/mysql/options.ts';
import { type Mariadb, mariadbProblem, startMariadb } from '../helpers/mariadb.ts';
import { mariadbPlugins } from '../helpers/mariadb-plugins.ts';
import { missing, skipUnless } from '../helpers/requirement.ts';
import { PASSWORD, pollOnce } from '../helpers/store-call.ts';
import { tempDir } from '../helpers/temp-dir.ts';

describe('accounts of a real MariaDB', { skip: skipUnless(mariadbProblem()) || missing('openssl') }, () => {
  let server: Mariadb;
  before(async () => {
    server = await startMariadb({ tls: ['IP:127.0.0.1'] });
    await server.sql('CREATE DATABASE v_process_monitor');
    await server.sql('CREATE TABLE PROCESE (process_id INT, process_name TEXT)', 'v_process_monitor');
    await server.sql('CREATE TABLE STATUS_PROCESS (process_id INT, alarma INT, sound INT, notes TEXT)', 'v_process_monitor');
  });
  after(() => server?.stop());

  const socket = (): MysqlEndpoint => ({ kind: 'socket', path: server.socket, optional: false });
  const tcp = (): MysqlEndpoint => ({ kind: 'tcp', host: '127.0.0.1', port: server.port });
  const account = (how: string, name = 'm'): Promise<unknown> =>
    server.sql(`CREATE OR REPLACE USER ${name}@'%' ${how}; GRANT ALL ON v_process_monitor.* TO ${name}@'%'`);
  const said = async (endpoint: MysqlEndpoint, change: Partial<MysqlOptions> = {}): Promise<string> => {
    const { error, warnings } = await pollOnce(endpoint, change);
    return [error === undefined ? 'done' : `${error.fault}: ${error.message}`, ...warnings].join('|');
  };
  const verified = (): Partial<MysqlOptions> => ({ ssl: 'verify', ca: readFileSync(server.ca ?? '', 'utf8') });

  test('as its defaults make them log in by socket, by TCP and over TLS, verified and not', async () => {
    await account(`IDENTIFIED BY '${PASSWORD}'`);
    for (const endpoint of [socket(), tcp()])
      for (const change of [{}, { ssl: 'required' }, verified(), { compress: true }] as const)
        assert.equal(await said(endpoint, change), 'done', JSON.stringify([endpoint, change]));
  });

  test('by unix_socket, alone and beside another way, need no password', async (t) => {
    if (process.getuid?.() !== 0) return t.skip('not root');
    for (const how of [
      'unix_socket',
      "mysql_native_password USING 'invalid' OR unix_socket",
      'unix_socket OR mysql_native_password',
    ]) {
      await server.sql(`CREATE OR REPLACE USER root@'%' IDENTIFIED VIA ${how}; GRANT ALL ON *.* TO root@'%'`);
      // The account of root@localhost would come first.
      await server.sql(
        `CREATE OR REPLACE USER root@localhost IDENTIFIED VIA ${how}; GRANT ALL ON *.* TO root@localhost WITH GRANT OPTION`,
      );
      assert.equal(await said(socket(), { user: 'root', password: '' }), 'done', how);
    }
    await server.sql("ALTER USER root@localhost IDENTIFIED VIA mysql_native_password USING PASSWORD('')");
  });

  test('that REQUIRE SSL get a message that says so', async () => {
    await account(`IDENTIFIED BY '${PASSWORD}' REQUIRE SSL`);
    for (const endpoint of [socket(), tcp()]) {
      assert.match(
        await said(endpoint),
        /^denied: .*Access denied for user 'm'.*\(check user and password; if the account requires TLS, set ssl = verify\)$/,
      );
      assert.equal(await said(endpoint, verified()), 'done');
    }
    await server.sql('SET GLOBAL require_secure_transport = 1');
    await account(`IDENTIFIED BY '${PASSWORD}'`);
    assert.match(await said(tcp()), /^denied: .*ssl = verify\)$/);
    assert.equal(await said(tcp(), verified()), 'done');
    await server.sql('SET GLOBAL require_secure_transport = 0');
  });

  test('by ed25519 or PAM are refused in our own words, and nothing of the password is sent', async (t) => {
    const plugins = mariadbPlugins(tempDir(t));
    await server.restart([`--plugin-dir=${plugins}`]);
    await server.sql("INSTALL SONAME 'auth_ed25519'; INSTALL SONAME 'auth_pam_v1'");
    await account(`IDENTIFIED VIA ed25519 USING PASSWORD('${PASSWORD}')`);
    const words = (plugin: string): RegExp =>
      new RegExp(
        `^denied: mysql \\S+: it wants the account "m" to log in by ${plugin}, which monitor_service does not support: nothing was sent \\(expected an account by mysql_native_password, unix_socket or auth_socket, or caching_sha2_password\\)$`,
      );
    assert.match(await said(socket()), words('"client_ed25519" \\(ed25519\\)'));
    assert.match(await said(tcp(), verified()), words('"client_ed25519" \\(ed25519\\)'));
    await account("IDENTIFIED VIA pam USING 'other'");
    assert.match(await said(socket()), words('"dialog" \\(PAM\\)'));
    await server
      .sql('SET GLOBAL pam_use_cleartext_plugin = 1')
      .catch(() => server.restart([`--plugin-dir=${plugins}`, '--pam-use-cleartext-plugin=1']));
    assert.match(await said(tcp(), verified()), words('"mysql_clear_password" \\(the password in the clear: PAM, LDAP\\)'));
    // Where an account has a way that is spoken, it is taken, whatever is asked for first.
    await account(
      `IDENTIFIED VIA mysql_native_password USING PASSWORD('${PASSWORD}') OR ed25519 USING PASSWORD('${PASSWORD}')`,
    );
    assert.equal(await said(socket()), 'done');
  });
});
