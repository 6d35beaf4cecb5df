import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { FIELD_READERS, type ProcessField, type ProcessFields } from '../../src/system/proc/fields.ts';
import type { Ids } from '../../src/system/proc/parse.ts';
import { ProcessTable } from '../../src/system/proc/table.ts';
import { pythonWithPsutil } from '../helpers/psutil.ts';
import { skipUnless } from '../helpers/requirement.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const python = pythonWithPsutil();
const needed = process.getuid?.() === 0 ? undefined : 'needs root';
const skip = skipUnless(needed ?? (python === undefined ? 'no Python here has psutil (python3-psutil)' : undefined));
const table = new ProcessTable();
const all = Object.keys(FIELD_READERS) as ProcessField[];

test('odd processes are, field by field, what psutil says', { skip, timeout: 300_000 }, async (t) => {
  const dir = tempDir(t);
  const script = join(import.meta.dirname, '../fixtures/process-table/odd-processes.py');
  const child = spawn(python ?? '', [script, dir], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { PATH: process.env.PATH, ODD: 'a=b\nc' },
  });
  const ended = once(child, 'exit');
  t.after(async () => {
    child.stdin.end();
    await ended;
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const look = async (): Promise<Record<string, Psutil>> => {
    child.stdin.write('\n');
    // Bytes that are no UTF-8 come as halves of surrogate pairs.
    return JSON.parse(String((await lines.next()).value), (_, value) =>
      typeof value === 'string' ? value.toWellFormed() : value,
    );
  };

  for (const [oddity, theirs] of Object.entries(await look())) {
    const ours = table.read(theirs.pid, all);
    assert.ok(ours, oddity);
    assert.deepEqual(ourSide(ours, dir), theirSide(theirs, dir), oddity);
    // psutil knows the time of boot to a second only.
    assert.ok(Math.abs((ours.startedAt?.getTime() ?? 0) / 1000 - theirs.create_time) < 1.1, oddity);
    assert.ok(Math.abs(ours.userCpuMs + ours.systemCpuMs - (theirs.cpu_times[0] + theirs.cpu_times[1]) * 1000) < 100, oddity);
    if (oddity === 'sockets') {
      const paths = ours.sockets?.flatMap((socket) => (socket.protocol === 'unix' && socket.path ? [socket.path] : []));
      const names = ['plain', ' a  b', 'line\nbreak', 'end\n'].map((name) => `${dir}/socket-${name}`);
      assert.deepEqual(paths, [...names, `@${dir} abstract`]);
    }
    if (oddity === 'user') assert.deepEqual(ours.groups, [5, 70000]);
  }
});

/** Our fields as psutil has them, for what the two of them tell alike. */
function ourSide(of: Partial<ProcessFields>, dir: string) {
  const ids = ({ real, effective, saved }: Ids) => [real, effective, saved];
  const files = of.openFiles?.filter(({ path }) => path.startsWith(`${dir}/`)) ?? [];
  const internet = of.sockets?.filter((socket) => socket.protocol !== 'unix') ?? [];
  const { io, memoryMaps } = of;
  return {
    name: of.name,
    status: of.state,
    ppid: of.ppid,
    nice: of.nice,
    threads: of.threads,
    uids: of.uids && ids(of.uids),
    gids: of.gids && ids(of.gids),
    user: of.realUserName ?? String(of.uids?.real),
    argv: of.argv,
    executable: of.executable ?? '',
    cwd: of.cwd,
    terminal: of.terminal,
    environment: Object.fromEntries((of.environment ?? []).map((each) => each.split(/=(.*)/s).slice(0, 2))),
    switches: [of.voluntarySwitches, of.involuntarySwitches],
    affinity: of.cpuAffinity,
    vms: of.vmsBytes,
    swap: memoryMaps?.source === 'smaps_rollup' ? memoryMaps.swapBytes : undefined,
    io: io && [io.readCalls, io.writeCalls, io.diskReadBytes, io.diskWrittenBytes, io.readBytes, io.writtenBytes],
    fdCount: of.fdCount ?? 0,
    files: files.map(({ path, fd }) => [path, fd]),
    sockets: internet.map(({ fd, localAddress, localPort, remoteAddress, remotePort, state, protocol }) => [
      fd,
      [localAddress, localPort],
      remoteAddress === undefined ? [] : [remoteAddress, remotePort],
      protocol.startsWith('udp') ? 'NONE' : state.toUpperCase(),
    ]),
  };
}

function theirSide(of: Psutil, dir: string): ReturnType<typeof ourSide> {
  const [files, sockets] = [of.open_files ?? [], of.connections ?? []];
  return {
    name: of.name,
    status: STATES[of.status] ?? of.status,
    ppid: of.ppid,
    nice: of.nice,
    threads: of.num_threads,
    uids: of.uids,
    gids: of.gids,
    user: of.username,
    argv: of.cmdline ?? [],
    executable: of.exe ?? '',
    cwd: of.cwd ?? undefined,
    terminal: of.terminal ?? undefined,
    environment: of.environ ?? {},
    switches: of.num_ctx_switches,
    affinity: of.cpu_affinity,
    vms: of.memory_info[1],
    swap: of.memory_full_info?.[9],
    io: of.io_counters,
    fdCount: of.num_fds ?? 0,
    files: files.flatMap(([path, fd]) => (path.startsWith(`${dir}/`) ? [[path, fd]] : [])),
    sockets: sockets.sort(([a], [b]) => a - b).map(([fd, , , local, remote, state]) => [fd, local, remote, state]),
  };
}

const STATES: Readonly<Record<string, string>> = { sleeping: 'S', stopped: 'T' };

type Address = (string | number)[];

/** What as_dict() gives; its tuples come as arrays, and null is what it was denied. */
interface Psutil {
  readonly pid: number;
  readonly ppid: number;
  readonly name: string;
  readonly status: string;
  readonly nice: number;
  readonly num_threads: number;
  readonly create_time: number;
  readonly cpu_times: readonly [user: number, system: number];
  readonly uids: number[];
  readonly gids: number[];
  readonly username: string;
  readonly cmdline: readonly string[] | null;
  readonly exe: string | null;
  readonly cwd: string | null;
  readonly terminal: string | null;
  readonly environ: Record<string, string> | null;
  readonly num_ctx_switches: number[];
  readonly cpu_affinity: readonly number[];
  readonly memory_info: readonly number[];
  readonly memory_full_info: readonly number[] | null;
  readonly io_counters: number[];
  readonly num_fds: number | null;
  readonly open_files: readonly [path: string, fd: number][] | null;
  readonly connections: [fd: number, family: number, type: number, local: Address, remote: Address, state: string][] | null;
}
