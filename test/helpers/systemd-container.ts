import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, readFileSync, realpathSync } from 'node:fs';
import { join, relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** How a program in the container ended. */
export interface ContainerResult {
  /** Null where a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Conditions of a program in the container. */
export interface ContainerExec {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Then it is killed, and the call throws; default 60 s. */
  readonly limitMs?: number;
}

/** A running container whose PID 1 is systemd. The project stands in it, read-only, under `project`. */
export interface SystemdContainer {
  /** Path of the project's folder inside. */
  readonly project: string;
  /** Path inside of the Node that runs the tests. */
  readonly node: string;
  /** Runs a program as root, outside of every unit; throws where it outlives its limit. */
  exec(argv: readonly string[], options?: ContainerExec): Promise<ContainerResult>;
  /** `exec` whose standard output is returned; throws, with all output, where it does not end with exit code 0. */
  read(argv: readonly string[], options?: ContainerExec): Promise<string>;
  /** The path of a file inside, for this process. */
  path(inside: string): string;
  /** Ends it, and all that runs in it. Idempotent. */
  stop(): Promise<void>;
}

/** Why no such container can be booted here, in one line; undefined where it can. */
export function containerProblem(): string | undefined {
  if (process.geteuid?.() !== 0) return 'a container with systemd needs root';
  const missing = ['systemd-nspawn', 'nsenter', 'unshare', 'setpriv', 'dbus-daemon'].filter((program) => !isInPath(program));
  if (missing.length > 0) return `a container with systemd needs ${missing.join(', ')}`;
  if (!/^\S*\s*overlay$/m.test(readFileSync('/proc/filesystems', 'utf8'))) return 'a container with systemd needs overlayfs';
  return undefined;
}

/** Boots a container (some 0.5 s); throws with its console where it does not come up. It is gone once this process is, however it ends. */
export async function bootSystemdContainer(options: { readonly nspawn?: readonly string[] } = {}): Promise<SystemdContainer> {
  const script = join(import.meta.dirname, 'systemd-container.sh');
  const bind = `--bind-ro=${join(import.meta.dirname, '../..')}:${PROJECT}`;
  const supervisor = spawn(
    'unshare',
    ['--mount', '--propagation', 'private', '--', 'bash', script, bind, ...(options.nspawn ?? [])],
    // A session of its own: what kills the test's process group must leave it the time to clean up.
    { stdio: ['pipe', 'pipe', 'pipe'], detached: true },
  );
  const leader = await readLeader(supervisor);
  const ended = new Promise((resolve) => supervisor.once('exit', resolve));
  const container: SystemdContainer = {
    project: PROJECT,
    node: pathInside(realpathSync(process.execPath)),
    exec: (argv, how = {}) => enter(leader, argv, how),
    read: async (argv, how = {}) => {
      const { code, stdout, stderr } = await enter(leader, argv, how);
      if (code === 0) return stdout;
      throw new Error(`${argv.join(' ')}: exit code ${code}\n${stdout}${stderr}`);
    },
    path: (inside) => `/proc/${leader}/root${inside}`,
    stop: async () => {
      supervisor.stdin?.end();
      await ended;
    },
  };
  return container;
}

/** Not under /tmp or /var/tmp: those are emptied at boot. */
const PROJECT = '/srv/monitor_service';

function pathInside(path: string): string {
  const inProject = relative(realpathSync(join(import.meta.dirname, '../..')), path);
  return inProject.startsWith('..') ? path : join(PROJECT, inProject);
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

async function readLeader(supervisor: ChildProcess): Promise<number> {
  const [stdout, stderr] = [collect(supervisor.stdout), collect(supervisor.stderr)];
  return await new Promise((resolve, reject) => {
    supervisor.stdout?.on('data', () => {
      const [, pid] = /^ready (\d+)$/m.exec(stdout()) ?? [];
      if (pid !== undefined) resolve(Number(pid));
    });
    supervisor.once('error', reject);
    supervisor.once('close', () => reject(new Error(`no container with systemd: ${stderr()}`)));
  });
}

async function enter(leader: number, argv: readonly string[], how: ContainerExec): Promise<ContainerResult> {
  const variables = Object.entries({ ...ENVIRONMENT, ...how.env }).map(([name, value]) => `${name}=${value}`);
  const namespaces = ['--mount', '--uts', '--ipc', '--net', '--pid', '--cgroup', '--root', '--wd'];
  // As PID 1 starts its units, whatever our own umask is.
  const shell = ['sh', '-c', 'umask 022 && exec "$@"', 'sh'];
  const child = spawn(
    'nsenter',
    ['--target', String(leader), ...namespaces, '--', ...shell, 'env', '-i', ...variables, ...argv],
    {
      // Empty where there is no input: a bash whose stdin is a socket takes itself for a login and reads its startup files.
      stdio: [how.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    },
  );
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  // A program that does not read may end before its input has been written.
  child.stdin?.on('error', () => {});
  child.stdin?.end(how.input);
  const limit = new AbortController();
  const limitMs = how.limitMs ?? 60_000;
  const code = await Promise.race([closed, delay(limitMs, 'late' as const, { signal: limit.signal })]);
  limit.abort();
  if (code !== 'late') return { code, stdout: stdout(), stderr: stderr() };
  child.kill('SIGKILL');
  throw new Error(`not ended within ${limitMs} ms: ${argv.join(' ')}\n${stdout()}${stderr()}`);
}

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
