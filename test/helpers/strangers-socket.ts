import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { endAfter } from './end-after.ts';

/**
 * A socket in `folder`, which is user 4711's from now on, on which a process of his answers every request with `answer` as JSON, and what
 * it was sent. Needs root.
 */
export async function strangersSocket(
  t: TestContext,
  folder: string,
  answer = '{}',
): Promise<{ readonly socket: string; readonly pid: number; readonly heard: () => string }> {
  const socket = join(folder, 's');
  // He has to get there.
  chmodSync(dirname(folder), 0o755);
  chownSync(folder, 4711, 4711);
  const child = spawn(process.execPath, ['-e', SERVER, socket, answer], {
    uid: 4711,
    gid: 4711,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = endAfter(t, child);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  await Promise.race([once(child.stdout, 'data'), ended.then(() => Promise.reject(new Error('it has ended')))]);
  return { socket, pid: child.pid ?? 0, heard: () => output.replace('up\n', '') };
}

const SERVER = `
  const [, path, answer] = process.argv;
  process.umask(0);
  require('net').createServer((client) => {
    client.on('error', () => {});
    client.on('data', (bytes) => {
      process.stdout.write(bytes);
      client.end('HTTP/1.1 200 OK\\r\\nContent-Length: ' + answer.length + '\\r\\n\\r\\n' + answer);
    });
  }).listen(path, () => console.log('up'));
`;
