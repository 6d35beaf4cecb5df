import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Console } from '../../../src/logging/console.ts';
import { plainLine } from '../../../src/logging/line.ts';
import { RecordedStream } from '../../helpers/recorded-stream.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { waitFor } from '../../helpers/wait-for.ts';

const line = plainLine(new Date(2026, 0, 2, 3, 4, 5), 'warning', 'message', { host: 'db1', pid: 7 });

test('plain text, or JSON if it is asked for', () => {
  const stream = new RecordedStream();
  const console = new Console(stream, {});
  console.write(line, 'text');
  console.write(line, 'json');
  assert.equal(stream.text, `2026-01-02 03:04:05  [WARNING] - message\n${line.json}\n`);
});

test('a terminal gets colour, unless it asks not to, and never JSON', () => {
  const stream = new RecordedStream({ isTTY: true });
  new Console(stream, {}).write(line, 'json');
  new Console(stream, { NO_COLOR: '1' }).write(line, 'text');
  assert.equal(stream.text, `\u001b[33m${line.text}\u001b[0m\n${line.text}\n`);
});

test('the journal gets priorities; a JOURNAL_STREAM inherited from elsewhere does not count', (t) => {
  const fd = openSync(join(tempDir(t), 'x'), 'w');
  t.after(() => closeSync(fd));
  const { dev, ino } = fstatSync(fd);
  const stream = new RecordedStream({ fd });
  const journal = new Console(stream, { JOURNAL_STREAM: `${dev}:${ino}` });
  assert.equal(journal.isJournal, true);
  journal.write(line, 'text');
  journal.write({ ...line, level: 'error' }, 'json');
  assert.equal(stream.text, `<4>[WARNING] - message\n<3>${line.json}\n`);
  for (const other of [`${dev}:${ino + 1}`, '', 'x'])
    assert.equal(new Console(stream, { JOURNAL_STREAM: other }).isJournal, false);
});

test('while nobody reads lines are dropped, and counted once somebody does', () => {
  const stream = new RecordedStream();
  const console = new Console(stream, {});
  stream.writableLength = 2 ** 21;
  for (let i = 0; i < 5; i++) console.write(line, 'text');
  assert.equal(stream.text, '');
  stream.writableLength = 0;
  console.write(line, 'text');
  assert.equal(stream.text, `5 log lines were lost here because nobody read them\n${line.text}\n`);
  stream.writableLength = 2 ** 21;
  console.write(line, 'text');
  stream.writableLength = 0;
  console.write(line, 'text');
  assert.ok(stream.text.endsWith(`\n1 log line was lost here because nobody read them\n${line.text}\n`), stream.text);
});

test('a reader that does not read its pipe holds nobody up', async (t) => {
  const talker = startTalker(t, 20_000);
  await waitFor('the report', () => talker.report() !== '');
  assert.ok(Number(talker.report()) < 2_000, talker.report());
  assert.equal((await talker.ended).code, 0);
});

test('a reader that went away ends nobody', async (t) => {
  const talker = startTalker(t, 20_000);
  await once(talker.child.stdout, 'readable');
  talker.child.stdout.destroy();
  assert.deepEqual(await talker.ended, { code: 0, signal: null });
  assert.notEqual(talker.report(), '');
});

test('a journal that hangs holds nobody up', async (t) => {
  // The journal's end of the stream is a socket; one that accepts and never reads is a journald that hangs.
  const path = join(tempDir(t), 'journal');
  const accepted: Socket[] = [];
  const server = createServer({ pauseOnConnect: true }, (socket) => accepted.push(socket)).listen(path);
  t.after(() => {
    for (const socket of accepted) socket.destroy();
    server.close();
  });
  await once(server, 'listening');
  const report = join(tempDir(t), 'report');
  const script = `exec "$0" "$1" "$2" 20000`;
  // bash cannot open a Unix socket as its output; node hands its own socket on.
  const { connect } = await import('node:net');
  const socket = connect(path);
  await once(socket, 'connect');
  const child = spawn('sh', ['-c', script, process.execPath, fixture, report], { stdio: ['ignore', socket, 'inherit'] });
  t.after(() => {
    child.kill('SIGKILL');
    socket.destroy();
  });
  const [code] = await once(child, 'exit');
  assert.equal(code, 0);
  assert.ok(Number(readFileSync(report, 'utf8')) < 2_000);
});

const fixture = join(import.meta.dirname, '../../fixtures/logging/talker.ts');

function startTalker(t: TestContext, lines: number) {
  const path = join(tempDir(t), 'report');
  const child = spawn(process.execPath, [fixture, path, String(lines)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit').then(([code, signal]) => ({ code, signal }));
  t.after(async () => {
    child.kill('SIGKILL');
    child.stdout.destroy();
    await ended;
  });
  const report = (): string => {
    try {
      return readFileSync(path, 'utf8').trim();
    } catch {
      return '';
    }
  };
  return { child, ended, report };
}
