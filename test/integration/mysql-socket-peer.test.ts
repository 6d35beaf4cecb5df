import assert from 'node:assert/strict';
import { chmodSync, chownSync, existsSync } from 'node:fs';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { loadConfigText } from '../../src/config/config-file.ts';
import { parseMysql } from '../../src/stores/mysql/options.ts';
import { MysqlStore } from '../../src/stores/mysql/store.ts';
import { loginByCachingSha2, serveStatements } from '../helpers/fake-mysql.ts';
import { type Mariadb, mariadbProblem, startMariadb } from '../helpers/mariadb.ts';
import { asRoot, skipUnless } from '../helpers/requirement.ts';
import { type Rogue, type Script, startRogue } from '../helpers/rogue-mysql.ts';
import { PASSWORD, pollOnce } from '../helpers/store-call.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const NOBODY = 65534;

/** Wants the password, and gets it from whoever believes it. */
const greedy: Script = async (peer) => {
  peer.greet();
  await peer.read();
  await loginByCachingSha2(peer, PASSWORD, { cached: false, secure: true });
  await serveStatements(peer);
};

/** Makes the listener another user's, as the kernel sees it. */
const asNobody =
  (path: string) =>
  (server: Server): void => {
    process.seteuid?.(NOBODY);
    try {
      server.listen(path);
    } finally {
      process.seteuid?.(0);
    }
  };

/** A rogue of nobody's at `path`. */
const nobodys = (t: TestContext, path: string): Promise<Rogue> => startRogue(t, greedy, { path, listen: asNobody(path) });

/** A folder of root's in which anybody may make files, as /tmp. */
function openFolder(t: TestContext): string {
  const dir = tempDir(t);
  chmodSync(dir, 0o1777);
  return dir;
}

const LIKE = 'expected a folder in which only user root (0)';

describe('a server’s socket', asRoot, () => {
  test('of nobody’s is not even connected to', async (t) => {
    const path = join(openFolder(t), 'mysql.sock');
    const rogue = await nobodys(t, path);
    const { error } = await pollOnce(rogue.endpoint);
    assert.equal(error?.fault, 'unreachable');
    assert.ok(
      error?.message.startsWith(
        `mysql unix:${path}: not trusted, nothing was sent: ${path} belongs to user nobody (65534) (${LIKE}`,
      ),
      error?.message,
    );
    assert.match(error?.message ?? '', /; if another user runs the server, set socket_owner\)$/);
    assert.equal(rogue.peers.length, 0);
  });

  test('that belongs to root, and behind which nobody listens, receives nothing', async (t) => {
    const path = join(openFolder(t), 'mysql.sock');
    const rogue = await nobodys(t, path);
    chownSync(path, 0, 0);
    const { error } = await pollOnce(rogue.endpoint);
    assert.match(
      error?.message ?? '',
      /not trusted, nothing was sent: the process that listens there belongs to user nobody \(65534\)/,
    );
    assert.equal(rogue.heard().length, 0);
  });

  test('is believed if socket_owner names its user', async (t) => {
    const rogue = await nobodys(t, join(openFolder(t), 'mysql.sock'));
    assert.equal((await pollOnce(rogue.endpoint, { socketOwner: NOBODY })).error, undefined);
    assert.notEqual((await pollOnce(rogue.endpoint, { socketOwner: 4711 })).error, undefined);
  });

  test('that is not believed keeps nobody from the next host', async (t) => {
    const rogue = await nobodys(t, join(openFolder(t), 'mysql.sock'));
    const next = await startRogue(t, greedy, { path: join(tempDir(t), 's') });
    const { error } = await pollOnce(rogue.endpoint, { endpoints: [rogue.endpoint, next.endpoint] });
    assert.equal(error, undefined);
    assert.equal(rogue.peers.length, 0);
  });
});

test(
  'with host = localhost and the server down, a rogue at /tmp/mysql.sock and 127.0.0.1:3306 gets nothing',
  asRoot,
  async (t) => {
    const places = ['/tmp/mysql.sock', '/run/mysqld/mysqld.sock', '/var/lib/mysql/mysql.sock'];
    if (places.some((path) => existsSync(path))) return t.skip('a server’s socket is there');
    const rogues = [await nobodys(t, '/tmp/mysql.sock')];
    const onPort = await startRogue(t, greedy, { listen: (server) => void server.listen(3306, '127.0.0.1') }).catch(
      () => undefined,
    );
    if (onPort !== undefined) rogues.push(onPort);
    const section = loadConfigText('c', `[database]\nhost = localhost\nuser = m\npassword = ${PASSWORD}`).section('database');
    const store = new MysqlStore(parseMysql(section));
    t.after(() => store.close());
    await assert.rejects(
      store.readAlarms(),
      /^StoreError: mysql: localhost means the server's Unix socket, but there is none in the usual places/,
    );
    assert.equal(store.description, 'mysql localhost/v_process_monitor');
    for (const rogue of rogues) assert.equal(rogue.peers.length, 0);
  },
);

describe('a real server that runs as a user of its own', { skip: asRoot.skip || skipUnless(mariadbProblem()) }, () => {
  let server: Mariadb;
  before(async () => {
    server = await startMariadb({ user: 'nobody' });
    await server.sql(
      `CREATE DATABASE v_process_monitor; CREATE USER m@localhost IDENTIFIED BY '${PASSWORD}'; GRANT ALL ON *.* TO m@localhost`,
    );
    await server.sql('CREATE TABLE PROCESE (process_id INT, process_name TEXT)', 'v_process_monitor');
    await server.sql('CREATE TABLE STATUS_PROCESS (process_id INT, alarma INT, sound INT, notes TEXT)', 'v_process_monitor');
  });
  after(() => server?.stop());

  test('is believed by socket_owner, and not without', async () => {
    const endpoint = { kind: 'socket', path: server.socket, optional: false } as const;
    assert.match((await pollOnce(endpoint)).error?.message ?? '', /not trusted, nothing was sent: .* belongs to user nobody/);
    assert.equal((await pollOnce(endpoint, { socketOwner: NOBODY })).error, undefined);
  });

  test('the kernel names that user at its socket', async () => {
    const endpoint = { kind: 'socket', path: server.socket, optional: false } as const;
    chownSync(server.dir, 0, 0);
    chownSync(server.socket, 0, 0);
    chmodSync(server.dir, 0o755);
    assert.match((await pollOnce(endpoint)).error?.message ?? '', /the process that listens there belongs to user nobody/);
  });
});
