import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { tempDir } from './temp-dir.ts';

/** A server of event streams that says what the test wants, and keeps what it hears. */
export interface EventServerFixture {
  /** The path or the port. */
  readonly path: string;
  readonly port: number;
  readonly sockets: readonly Socket[];
  readonly heard: () => string;
}

/** Listens on a Unix socket, or on a port of 127.0.0.1; `greet` is called for each client. Closed after the test. */
export async function startEventServer(
  t: TestContext,
  kind: 'unix' | 'tcp',
  greet: (socket: Socket) => void,
  create: (listener: (socket: Socket) => void) => Server = (listener) => createServer({ allowHalfOpen: true }, listener),
): Promise<EventServerFixture> {
  const sockets: Socket[] = [];
  let heard = '';
  const server = create((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      heard += bytes.toString();
    });
    greet(socket);
  });
  t.after(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const path = join(tempDir(t), 'events.sock');
  await new Promise<void>((resolve) => {
    if (kind === 'unix') server.listen(path, resolve);
    else server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  return { path, port: typeof address === 'object' && address !== null ? address.port : 0, sockets, heard: () => heard };
}

/** A login as procMonitor does it: the password is `right`, and then comes `then`. */
export function loginThen(then: (socket: Socket) => void): (socket: Socket) => void {
  return (socket) => {
    socket.write('Password: ');
    let said = '';
    socket.on('data', function listen(bytes) {
      said += bytes.toString();
      if (!said.includes('\n')) return;
      socket.off('data', listen);
      if (said.split('\n')[0] !== 'right') {
        socket.end('Authentication failed. Disconnecting.\n');
        return;
      }
      socket.write('Authentication successful.\n');
      then(socket);
    });
  };
}

/** Lines as procMonitor sends them. */
export const seedLines = [
  '{"event":"exit", "pid":4162819, "exit_code":256, "user":"root"}',
  '{"event":"fork", "child_pid":4162820, "parent_pid":755}',
  '{"event":"exec", "pid":4162820, "user":"root", "cmdline":"sleep 1 "}',
  '{"event":"exit", "pid":4162820, "exit_code":139, "user":"unknown"}',
].map((line) => `${line}\n`);
