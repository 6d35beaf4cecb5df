import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Orders } from '../../src/control/orders.ts';
import { createControlServer } from '../../src/control/server.ts';
import { systemClock } from '../../src/core/clock.ts';
import { type Call, keptLog, scriptedOrders } from './scripted-orders.ts';
import { tempDir } from './temp-dir.ts';

export interface ControlWorld {
  readonly socket: string;
  readonly server: ReturnType<typeof createControlServer>;
  readonly calls: Call[];
  readonly lines: string[];
}

/** A control server on a real Unix socket of the test's own, stopped after it. */
export async function startControl(
  t: TestContext,
  script: Partial<Orders> = {},
  options: Partial<Parameters<typeof createControlServer>[0]> = {},
): Promise<ControlWorld> {
  const socket = options.socket ?? join(tempDir(t), 'control.sock');
  const { orders, calls } = scriptedOrders(script);
  const { log, lines } = keptLog();
  const all = { socket, mode: 0o660, group: undefined, orders: () => orders, log, clock: systemClock, ...options };
  const server = createControlServer(all);
  await server.start();
  t.after(() => server.stop());
  return { socket, server, calls, lines };
}

/** An answer taken apart. */
export interface RawAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** A connection that sends `bytes` and reads whatever comes until the other side hangs up. */
export function rawExchange(socket: string, bytes: string | Buffer): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const connection = connect(socket);
    let text = '';
    connection.setEncoding('latin1');
    connection.on('data', (chunk: string) => {
      text += chunk;
    });
    // Hanging up on somebody who still talks is a reset.
    connection.on('error', () => {});
    connection.on('close', () => {
      const [head = '', ...rest] = text.split('\r\n\r\n');
      resolve({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0), head, body: rest.join('\r\n\r\n') });
    });
    connection.setTimeout(30_000, () => reject(new Error('nobody hung up')));
    connection.write(bytes);
  });
}

/** One request as text. */
export function httpText(method: string, path: string, body?: string, headers: Record<string, string> = {}): string {
  const all: Record<string, string> = {
    Host: 'localhost',
    ...(body === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': String(Buffer.byteLength(body)) }),
    ...headers,
  };
  const lines = Object.entries(all).map(([key, value]) => `${key}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body ?? ''}`;
}

/** A bare connection, open once it resolves; errors are nobody's business. */
export function openConnection(t: TestContext, socket: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const connection = connect(socket);
    connection.once('error', reject);
    connection.once('connect', () => {
      connection.off('error', reject);
      connection.on('error', () => {});
      resolve(connection);
    });
    t.after(() => connection.destroy());
  });
}
