import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { whoIs } from '../../../src/system/who.ts';
import { asRoot } from '../../helpers/requirement.ts';
import { tempDir } from '../../helpers/temp-dir.ts';

/** A /proc with one process, 4711. */
function procWith(dir: string, files: { comm: string; uid: number; loginuid?: string }): string {
  const { comm, uid, loginuid } = files;
  mkdirSync(join(dir, '4711'));
  writeFileSync(join(dir, 'uptime'), '1000.00 900.00\n');
  const zeros = Array.from({ length: 48 }, () => '0').join(' ');
  writeFileSync(join(dir, '4711/stat'), `4711 (${comm}) S 1 ${zeros}\n`);
  const ids = `${uid}\t${uid}\t${uid}\t${uid}`;
  writeFileSync(join(dir, '4711/status'), `Name:\tx\nUid:\t${ids}\nGid:\t0\t0\t0\t0\nGroups:\t \n`);
  if (loginuid !== undefined) writeFileSync(join(dir, '4711/loginuid'), loginuid);
  return dir;
}

test('a user and the name of the user’s program; the uid if the process is gone or another user’s by now', async (t) => {
  const comm = readFileSync('/proc/self/comm', 'utf8').trim();
  const uid = process.geteuid?.() ?? 0;
  const mine = await whoIs({ pid: process.pid, uid });
  // Its first thread may be called otherwise than the one that asks.
  assert(mine.startsWith(uid === 0 ? `root (${comm})` : ''), mine);
  const proc = procWith(tempDir(t), { comm: 'curl', uid: 0 });
  assert.equal(await whoIs({ pid: 4711, uid: 0 }, proc), 'root (curl)');
  assert.equal(await whoIs({ pid: 4712, uid: 0 }, proc), 'root (uid 0)');
  assert.equal(await whoIs({ pid: 0, uid: 0 }, proc), 'root (uid 0)');
  assert.equal(await whoIs({ pid: 4711, uid: 3_999_999_999 }, proc), 'uid 3999999999');
});

test('a user who became root by sudo is named; nobody is named if nobody logged in', async (t) => {
  const proc = (loginuid: string): string => procWith(tempDir(t), { comm: 'node', uid: 0, loginuid });
  assert.equal(await whoIs({ pid: 4711, uid: 0 }, proc('3999999999\n')), 'root (node), logged in as uid 3999999999');
  for (const loginuid of ['4294967295', '0', '', 'x'])
    assert.equal(await whoIs({ pid: 4711, uid: 0 }, proc(loginuid)), 'root (node)', loginuid);
});

test('the name of a program is no more of the sentence, no line and no escape sequence', async (t) => {
  const names = [
    ['x) by root (y', '("x) by root (y")'],
    ['a\nb', '("a b")'],
    ['\u001b[31mred', '("?[31mred")'],
    ['Web Content', '("Web Content")'],
    ['\u200b', '(uid 0)'],
  ];
  for (const [comm = '', shown] of names) {
    const proc = procWith(tempDir(t), { comm, uid: 0 });
    assert.equal(await whoIs({ pid: 4711, uid: 0 }, proc), `root ${shown}`);
  }
});

test('a user without a name is a number', asRoot, async () => {
  const child = spawn('sleep', ['1000'], { uid: 54_321, gid: 54_321 });
  await once(child, 'spawn');
  try {
    assert.equal(await whoIs({ pid: child.pid ?? 0, uid: 54_321 }), 'uid 54321 (sleep)');
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});
