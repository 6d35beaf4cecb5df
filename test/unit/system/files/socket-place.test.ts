import assert from 'node:assert/strict';
import { chmodSync, chownSync, lchownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Believed, judgeSocket } from '../../../../src/system/files/socket-place.ts';
import { asRoot } from '../../../helpers/requirement.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const NOBODY = 65534;
const ROOT: Believed = { uids: new Set([0]), gids: new Set([0]) };

/** Root's socket in root's folder, under a folder of the test's own. */
async function rootsSocket(t: TestContext) {
  const dir = tempDir(t);
  const folder = join(dir, 'mysqld');
  mkdirSync(folder, { mode: 0o755 });
  const socket = join(folder, 's');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  t.after(() => void server.close());
  chmodSync(socket, 0o777);
  return { dir, folder, socket };
}

const told = (path: string, believed: Believed = ROOT): string => {
  const place = judgeSocket(path, believed);
  return place.kind === 'others' ? place.reason : place.kind;
};

test('root’s socket is believed, whatever its own mode, straight and by root’s links', asRoot, async (t) => {
  const { dir, folder, socket } = await rootsSocket(t);
  assert.equal(told(socket), 'believed');
  symlinkSync(folder, join(dir, 'run'));
  symlinkSync('../mysqld/s', join(folder, 'by-name'));
  for (const path of [join(dir, 'run/s'), join(dir, 'run/by-name'), `${dir}//run/../mysqld/./s`])
    assert.equal(told(path), 'believed');
});

test('another’s socket, folder or link on the way is reported by its name', asRoot, async (t) => {
  const { dir, folder, socket } = await rootsSocket(t);
  const link = join(dir, 'link');
  symlinkSync(folder, link);
  for (const [path, own] of [
    [socket, socket],
    [folder, socket],
    [dir, socket],
  ] as const) {
    chownSync(path, NOBODY, 0);
    assert.equal(told(own), `${path} belongs to user nobody (65534)`);
    chownSync(path, 0, 0);
  }
  lchownSync(link, NOBODY, NOBODY);
  assert.equal(told(join(link, 's')), `${link} belongs to user nobody (65534)`);
  chownSync(socket, 4711, 0);
  assert.equal(told(socket), `${socket} belongs to user 4711`);
  assert.equal(told(socket, { ...ROOT, uids: new Set([0, 4711]) }), 'believed');
});

test('a folder that others may write to is not believed, unless it is sticky', asRoot, async (t) => {
  const { dir, folder, socket } = await rootsSocket(t);
  for (const [path, mode] of [
    [folder, 0o757],
    [folder, 0o777],
    [dir, 0o703],
  ] as const) {
    chmodSync(path, mode);
    assert.equal(told(socket), `${path} is writable by others`);
    chmodSync(path, mode | 0o1000);
    assert.equal(told(socket), 'believed');
    chmodSync(path, 0o755);
  }
  chmodSync(folder, 0o775);
  assert.equal(told(socket), 'believed', 'the group is root’s');
  chownSync(folder, 0, 100);
  assert.equal(told(socket), `${folder} is writable by others`);
  assert.equal(told(socket, { ...ROOT, gids: new Set([0, 100]) }), 'believed');
});

test('what does not exist is missing, what is not a socket is reported', asRoot, async (t) => {
  const { dir, folder, socket } = await rootsSocket(t);
  assert.equal(told(join(folder, 'none')), 'missing');
  assert.equal(told(join(dir, 'none/s')), 'missing');
  writeFileSync(join(folder, 'file'), '');
  assert.equal(told(join(folder, 'file')), `${join(folder, 'file')} is not a socket`);
  assert.equal(told(folder), `${folder} is not a socket`);
  assert.equal(told(`${socket}/x`), `${socket} is not a folder`);
  assert.match(told('relative/s'), /is not an absolute path/);
  symlinkSync('circle', join(dir, 'circle'));
  assert.match(told(join(dir, 'circle')), /is one symbolic link too many/);
});
