import { once } from 'node:events';
import { mkdirSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { systemClock } from '../../src/core/clock.ts';
import type { UrlWork } from '../../src/probes/url/work.ts';
import { Worker } from '../../src/probes/worker/client.ts';
import type { StartWorker, WorkerProcess } from '../../src/probes/worker/process.ts';
import { type WorkerProgram, workerProgram } from '../../src/probes/worker/program.ts';
import { directStarter } from '../../src/probes/worker/start-direct.ts';
import type { TcpWork } from '../../src/probes/worker/tcp.ts';
import { ProcessTable } from '../../src/system/proc/table.ts';
import { tempDir } from './temp-dir.ts';
import { waitFor } from './wait-for.ts';

export const never = new AbortController().signal;

/** A worker that is stopped after the test. */
export interface WorkerWorld {
  readonly worker: Worker;
  readonly troubles: string[];
  /** The processes that were started so far. */
  readonly started: WorkerProcess[];
  /** The pid of the worker that runs. */
  pid(): Promise<number>;
}

/** The real worker, from the sources. */
export function openWorker(t: TestContext, start: StartWorker = directStarter(workerProgram())): WorkerWorld {
  const troubles: string[] = [];
  const started: WorkerProcess[] = [];
  const worker = new Worker({
    start: async () => {
      const result = await start();
      if (result.kind === 'started') started.push(result.worker);
      return result;
    },
    clock: systemClock,
    onTrouble: (reason) => troubles.push(reason),
  });
  t.after(async () => {
    worker.stop();
    await Promise.all(started.map(({ ended }) => ended));
  });
  return { worker, troubles, started, pid: () => waitFor('a worker', async () => (await childrenWith('monitor_worker'))[0]) };
}

/** Something else in its place: `script` has `read`, which gives the next line, and `answer`, which sends one. */
export function openLiar(t: TestContext, script: string): WorkerWorld {
  const folder = tempDir(t);
  mkdirSync(folder, { recursive: true });
  const head = `
    import { Socket } from 'node:net';
    import { createInterface } from 'node:readline';
    const socket = new Socket({ fd: 0, readable: true, writable: true });
    socket.on('error', () => process.exit()).on('close', () => process.exit());
    const write = (text) => socket.write(text);
    const answer = (value) => write(JSON.stringify(value) + '\\n');
    const onOrder = (take) => createInterface({ input: socket }).on('line', (line) => take(JSON.parse(line)));
  `;
  writeFileSync(join(folder, 'liar.mjs'), head + script);
  return openWorker(t, directStarter({ folder, entry: 'liar.mjs' }));
}

/** Our children with that name. */
async function childrenWith(comm: string): Promise<number[]> {
  const processes = await new ProcessTable().survey(['ppid', 'name', 'state']);
  return processes.filter((one) => one.ppid === process.pid && one.name === comm && one.state !== 'Z').map(({ pid }) => pid);
}

/** A TCP server on loopback, closed after the test with all its connections. */
export async function tcpServer(t: TestContext, onConnection: (socket: Socket) => void, host = '127.0.0.1'): Promise<number> {
  return await listening(t, createServer(onConnection), host);
}

/** Lets `server` listen until the test ends; its port. */
export async function listening(t: TestContext, server: Server, host = '127.0.0.1'): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  });
  server.listen(0, host);
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}

/** Work that only connects, unless `more` says more. */
export function tcpWork(port: number, more: Partial<TcpWork> = {}): TcpWork {
  const base = { type: 'tcp', host: '127.0.0.1', send: undefined, expect: undefined } as const;
  return { ...base, tls: false, ca: undefined, certificateDays: 0, port, ...more };
}

/** What a link in /proc/PID leads to. */
export function procLink(pid: number, name: string): string {
  return readlinkSync(`/proc/${pid}/${name}`);
}

/** A GET that expects 2xx. */
export function urlWork(url: string): UrlWork {
  const none = { headers: [], body: undefined, auth: undefined, expectBody: undefined, rejectBody: undefined, expectJson: [] };
  const tls = { verify: true, ca: undefined, clientCert: undefined, clientKey: undefined, certificateDays: 0 };
  return {
    type: 'url',
    url,
    method: 'GET',
    status: [[200, 299]],
    mostMs: 0,
    redirects: 0,
    family: 0,
    proxies: undefined,
    ...none,
    ...tls,
  };
}

/** The worker of the bundle in dist/, which `npm run build` makes. */
export function bundledProgram(): WorkerProgram {
  const folder = join(import.meta.dirname, '../../dist');
  const entry = readdirSync(join(folder, 'chunks')).find((name) => /^worker-[A-Z0-9]{8}\.js$/.test(name));
  if (entry === undefined) throw new Error('dist/ has no worker: npm run build');
  return { folder, entry: `chunks/${entry}` };
}
