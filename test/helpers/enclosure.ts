import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** How a program in an enclosure ended. */
export interface EnclosedResult {
  /** Null where a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Conditions of such a program. */
export interface EnclosedExec {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Then it is killed, and the call throws; default 60 s. */
  readonly limitMs?: number;
}

/** A real systemd for tests, in namespaces of its own. */
export interface Enclosure {
  /** Runs a program in there as root, outside of every unit; throws where it outlives its limit. */
  exec(argv: readonly string[], options?: EnclosedExec): Promise<EnclosedResult>;
  /** `exec` whose standard output is returned; throws, with all output, where it does not end with exit code 0. */
  read(argv: readonly string[], options?: EnclosedExec): Promise<string>;
  /** The path of a file inside, for this process. */
  path(inside: string): string;
  /** Ends it, and all that runs in it. Idempotent. */
  stop(): Promise<void>;
}

/** The programs that are not in PATH, of those and what every enclosure needs. */
export function missingPrograms(programs: readonly string[]): string[] {
  return ['nsenter', 'unshare', 'setpriv', ...programs].filter((program) => !isInPath(program));
}

/**
 * Starts a script of this folder in a mount namespace, which says `ready PID` and ends when its standard input does; throws with
 * what it said where it does not come up. `namespaces`: the options of nsenter(1) with which one enters where PID is. All is gone
 * once this process is, however it ends.
 */
export async function openEnclosure(
  script: string,
  args: readonly string[],
  namespaces: readonly string[],
): Promise<Enclosure> {
  const supervisor = spawn(
    'unshare',
    ['--mount', '--propagation', 'private', '--', 'bash', join(import.meta.dirname, script), ...args],
    // A session of its own: what kills the test's process group must leave it the time to clean up.
    { stdio: ['pipe', 'pipe', 'pipe'], detached: true },
  );
  const leader = await readLeader(script, supervisor);
  const ended = new Promise((resolve) => supervisor.once('exit', resolve));
  const enter: Enclosure['exec'] = (argv, how = {}) => run(['--target', String(leader), ...namespaces], argv, how);
  return {
    exec: enter,
    read: async (argv, how) => {
      const { code, stdout, stderr } = await enter(argv, how);
      if (code === 0) return stdout;
      throw new Error(`${argv.join(' ')}: exit code ${code}\n${stdout}${stderr}`);
    },
    path: (inside) => `/proc/${leader}/root${inside}`,
    stop: async () => {
      supervisor.stdin?.end();
      await ended;
    },
  };
}

function isInPath(program: string): boolean {
  return (process.env.PATH ?? '').split(':').some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

async function readLeader(script: string, supervisor: ChildProcess): Promise<number> {
  const [stdout, stderr] = [collect(supervisor.stdout), collect(supervisor.stderr)];
  return await new Promise((resolve, reject) => {
    // The script has limits of its own, and clears up when its input ends.
    const limit = setTimeout(() => supervisor.stdin?.end(), UP_LIMIT_MS).unref();
    supervisor.stdout?.on('data', () => {
      const [, pid] = /^ready (\d+)$/m.exec(stdout()) ?? [];
      if (pid === undefined) return;
      clearTimeout(limit);
      resolve(Number(pid));
    });
    supervisor.once('error', reject);
    supervisor.once('close', () => reject(new Error(`${script}: ${stderr()}`)));
  });
}

async function run(entrance: readonly string[], argv: readonly string[], how: EnclosedExec): Promise<EnclosedResult> {
  const variables = Object.entries({ ...ENVIRONMENT, ...how.env }).map(([name, value]) => `${name}=${value}`);
  // As PID 1 starts its units, whatever our own umask is.
  const shell = ['sh', '-c', 'umask 022 && exec "$@"', 'sh'];
  const child = spawn('nsenter', [...entrance, '--', ...shell, 'env', '-i', ...variables, ...argv], {
    // Empty where there is no input: a bash whose stdin is a socket takes itself for a login and reads its startup files.
    stdio: [how.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  // A program that does not read may end before its input has been written.
  child.stdin?.on('error', () => {});
  child.stdin?.end(how.input);
  const limit = new AbortController();
  const limitMs = how.limitMs ?? 120_000;
  const code = await Promise.race([closed, delay(limitMs, 'late' as const, { signal: limit.signal })]);
  limit.abort();
  if (code !== 'late') return { code, stdout: stdout(), stderr: stderr() };
  child.kill('SIGKILL');
  throw new Error(`not ended within ${limitMs} ms: ${argv.join(' ')}\n${stdout()}${stderr()}`);
}

const UP_LIMIT_MS = 100_000;

const ENVIRONMENT = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LANG: 'C.UTF-8',
};

function collect(stream: NodeJS.ReadableStream | null): () => string {
  const chunks: Buffer[] = [];
  stream?.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString();
}
