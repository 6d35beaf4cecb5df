import { spawn } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type ProcessIdentity, ProcessTable } from '../../src/system/proc/table.ts';

/** Real programs with names of one's choosing, in a folder of their own; all of them are gone after the test. */
export interface ProcessZoo {
  readonly dir: string;
  /** A copy of sleep(1) under this file name; its path. */
  sleeper(name: string): string;
  /** An executable script under this file name; its path. */
  script(name: string, text: string): string;
  /** Starts a program; it has been executed when its pid comes back. */
  start(path: string, args?: readonly string[], options?: ZooOptions): Promise<number>;
}

interface ZooOptions {
  readonly argv0?: string;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly uid?: number;
  readonly gid?: number;
}

/**
 * What a shell of root's needs to be startable again: npm puts folders into PATH, and whoever runs the tests may have the project in
 * a folder of their own.
 */
export const rootsOwnSurroundings = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', cwd: '/' } as const;

/** A user without rights, for ZooOptions and chown(2). */
export const nobody = { uid: 65_534, gid: 65_534 } as const;

/** A name that no other process of this machine has; it begins with `name`. */
export function unique(name: string): string {
  return `${name}${process.pid % 1000}${count++}`;
}

let count = 0;

/** Opens a zoo for one test. */
export function openZoo(t: TestContext): ProcessZoo {
  const dir = mkdtempSync(join(tmpdir(), 'zoo-'));
  chmodSync(dir, 0o755);
  const started: ProcessIdentity[] = [];
  t.after(() => {
    // Whatever runs from this folder, or has it in its environment, was started here. One that forks and exits amid a look hides
    // its child from that.
    for (let round = 0, empty = 0; round < 100 && empty < 3; round += 1) {
      // One that has written a title over its environment is known by its number alone.
      const mine = [...new Set([...inhabitants(dir), ...started.filter((one) => table.exists(one)).map(({ pid }) => pid)])];
      empty = mine.length === 0 ? empty + 1 : 0;
      for (const pid of mine) attempt(() => process.kill(pid, 'SIGKILL'));
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
    rmSync(dir, { recursive: true, force: true });
  });
  const { PATH, cwd } = rootsOwnSurroundings;
  const env = (extra: NodeJS.ProcessEnv = {}) => ({ PATH, ZOO: dir, ...extra });
  return {
    dir,
    sleeper: (name) => {
      copyFileSync('/bin/sleep', join(dir, name));
      return join(dir, name);
    },
    script: (name, text) => {
      writeFileSync(join(dir, name), text, { mode: 0o755 });
      return join(dir, name);
    },
    start: async (path, args = ['300'], options = {}) => {
      const child = spawn(path, args, { stdio: 'ignore', detached: true, cwd, ...options, env: options.env ?? env() });
      child.unref();
      const pid = child.pid ?? 0;
      if (pid === 0) throw new Error(`not started: ${path}`);
      const seen = table.read(pid, ['startTime']);
      if (seen !== undefined) started.push(seen);
      return pid;
    },
  };
}

/** True while a process of this number lives and is no zombie. */
export function isAlive(pid: number): boolean {
  return statOf(pid) !== undefined;
}

/**
 * True while a process of this number lives and may still do something. On a busy machine it takes a while from its last act, after which
 * it has left its control group, until it is a zombie.
 */
export function mayAct(pid: number): boolean {
  return (Number(statOf(pid)?.[6] ?? PF_EXITING) & PF_EXITING) === 0;
}

/** The fields of proc_pid_stat(5) from its state on; undefined of what is gone, or a zombie. */
function statOf(pid: number): string[] | undefined {
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields === undefined || 'ZX'.includes(fields[0] ?? '') ? undefined : fields;
}

/** Of the field "flags"; include/linux/sched.h. */
const PF_EXITING = 4;

const table = new ProcessTable();

function inhabitants(dir: string): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => {
    if (pid === process.pid || !isAlive(pid)) return false;
    const exe = attempt(() => readlinkSync(`/proc/${pid}/exe`)) ?? '';
    // Not read whole: somebody else's test may have one of 150 MB.
    return exe.startsWith(`${dir}/`) || table.hasVariable(pid, 'ZOO', dir);
  });
}

function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}
