import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type ProcessEvent, processEventTypes } from '../../../../src/core/process/event.ts';
import { type Libc, loadLibc } from '../../../../src/system/native/libc.ts';
import { createProcessEventSource } from '../../../../src/system/process-events/events.ts';
import { processEventsProblem, type Recording, recordProcessEvents } from '../../../helpers/process-event-recorder.ts';
import { skipUnless } from '../../../helpers/requirement.ts';
import { waitFor } from '../../../helpers/wait-for.ts';

// On the real kernel.

const skip = skipUnless(await processEventsProblem());
const skipAsUser = skip || skipUnless(process.geteuid?.() === 0 ? undefined : 'needs root');
const dir = mkdtempSync(join(tmpdir(), 'process-events-test-'));
after(() => rmSync(dir, { recursive: true }));

/** Its kinds, with what belongs to them and no time. */
function story(events: readonly ProcessEvent[]): unknown[] {
  return events.map(({ at: _, ...event }) => Object.values(event).filter((value) => value !== undefined));
}

async function ended(child: ChildProcess): Promise<number> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.pid ?? assert.fail('not started');
}

/** Runs it to its end; its events, once its exit was told. */
async function run(recording: Recording, argv: readonly string[]): Promise<{ pid: number; events: readonly ProcessEvent[] }> {
  const [program = '', ...args] = argv;
  const pid = await ended(spawn(program, args, { cwd: dir, stdio: 'ignore' }));
  await waitFor('its exit', () => recording.of(pid).some(({ type }) => type === 'exit'));
  return { pid, events: recording.of(pid) };
}

/** Sockets of the proc connector that this process has open, and what else of descriptors. */
function descriptors(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      return [];
    }
  });
}

/** Those that no other test of this file has. */
function netlinkSockets(): string[] {
  const inodes = readFileSync('/proc/net/netlink', 'utf8')
    .split('\n')
    .flatMap((line) => {
      const fields = line.trim().split(/\s+/);
      return fields[1] === '11' ? [`socket:[${fields[9]}]`] : [];
    });
  return descriptors().filter((target) => inodes.includes(target));
}

test('fork, exec and exit of a program come in this order, with its exit code', { skip }, async (t) => {
  const recording = await recordProcessEvents(t, ['fork', 'exec', 'exit']);
  const before = Date.now();
  const { pid, events } = await run(recording, ['sh', '-c', 'exit 3']);
  assert.deepEqual(story(events), [
    ['fork', pid, process.pid],
    ['exec', pid],
    ['exit', pid, process.pid, 3 << 8],
  ]);
  const times = events.map(({ at }) => at);
  assert.deepEqual(times, times.toSorted());
  assert(times[0]! >= before - 5 && times[2]! <= Date.now() + 5, JSON.stringify([before, times]));
  recording.end();
});

test('signals, with and without a core', { skip }, async (t) => {
  const recording = await recordProcessEvents(t, ['exit', 'coredump']);
  const kill = await run(recording, ['sh', '-c', 'kill -KILL $$']);
  assert.deepEqual(story(kill.events), [['exit', kill.pid, process.pid, 9]]);
  const bare = await run(recording, ['sh', '-c', 'ulimit -c 0; kill -SEGV $$']);
  assert.deepEqual(story(bare.events), [
    ['coredump', bare.pid, process.pid],
    ['exit', bare.pid, process.pid, 11],
  ]);
  const core = await run(recording, ['sh', '-c', 'ulimit -c unlimited; kill -SEGV $$']);
  assert.deepEqual(story(core.events), [
    ['coredump', core.pid, process.pid],
    ['exit', core.pid, process.pid, 11 | 0x80],
  ]);
  recording.end();
});

test('a new name, a new session, another user, a tracer', { skip: skipAsUser }, async (t) => {
  const recording = await recordProcessEvents(t, ['uid', 'gid', 'sid', 'comm', 'ptrace']);
  const pid = await ended(
    spawn(
      'setsid',
      ['sh', '-c', 'printf "naïve) x" > /proc/$$/comm; exec setpriv --regid 65534 --reuid 65534 --clear-groups true'],
      {
        // Otherwise it forks where it leads its process group already.
        detached: false,
      },
    ),
  );
  await waitFor('another user', () => recording.of(pid).length >= 4);
  const [session, name, ...ids] = story(recording.of(pid));
  assert.deepEqual(session, ['sid', pid]);
  assert.deepEqual(name, ['comm', pid, 'naïve) x']);
  // Which of them comes first is the program's affair.
  assert.deepEqual(ids.toSorted(), [
    ['gid', pid, 65534, 65534],
    ['uid', pid, 65534, 65534],
  ]);
  recording.end();
});

test('threads are not reported', { skip }, async (t) => {
  const recording = await recordProcessEvents(t, processEventTypes);
  const script = 'const { Worker } = require("node:worker_threads"); new Worker("1", { eval: true })';
  const { pid, events } = await run(recording, [process.execPath, '-e', script]);
  assert.deepEqual(
    events.map(({ type }) => type).filter((type) => type !== 'comm'),
    ['fork', 'exec', 'exit'],
  );
  assert.deepEqual(
    recording.events.filter((event) => event.type === 'fork' && event.parentPid === pid),
    [],
  );
  recording.end();
});

test('a process lives on without its first thread, and ends with its last', { skip }, async (t) => {
  const recording = await recordProcessEvents(t, ['exit']);
  const libc = JSON.stringify(join(import.meta.dirname, '../../../../src/system/native/libc.ts'));
  const exitThread = `const { loadLibc } = await import(${libc}); loadLibc().syscall(process.arch === 'x64' ? 60 : 93, 0, 0, 0, 0)`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', exitThread], { stdio: 'ignore' });
  const pid = child.pid ?? assert.fail('not started');
  t.after(() => child.kill('SIGKILL'));
  await waitFor('the end of its first thread', () => /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')));
  // Whatever was told of that thread has come once this was.
  await run(recording, ['true']);
  assert.deepEqual(recording.of(pid), []);
  child.kill('SIGKILL');
  await waitFor('its exit', () => recording.of(pid).length > 0);
  assert.deepEqual(story(recording.of(pid)), [['exit', pid, process.pid, 9]]);
  recording.end();
});

test('what nobody wants is not reported, and does not even reach us if the kernel has a filter', { skip }, async (t) => {
  const few = await recordProcessEvents(t, ['exec']);
  const all = await recordProcessEvents(t, ['exec', 'exit']);
  const { received } = few.source.counters();
  const { received: receivedOfAll } = all.source.counters();
  const { pid } = await run(all, ['sh', '-c', 'for i in 1 2 3 4 5 6 7 8 9; do (:); done']);
  await waitFor('its exec', () => few.of(pid).length > 0);
  assert.deepEqual(story(few.of(pid)), [['exec', pid]]);
  const later = await run(all, ['true']);
  await waitFor('all before it', () => few.of(later.pid).length > 0);
  const [major = 0, minor = 0] = release().split('.').map(Number);
  if (major < 6 || (major === 6 && minor < 6)) return;
  // Forks and exits are most of what happens.
  const reached = few.source.counters().received - received;
  assert(reached * 2 < all.source.counters().received - receivedOfAll, String(reached));
});

test('several subscribers share one socket, which the first one opens and the last one closes', { skip }, async (t) => {
  const open = netlinkSockets().length;
  const source = createProcessEventSource({ types: new Set(['exec', 'exit']) });
  assert.equal(netlinkSockets().length, open);
  const [one, two] = await Promise.all([recordProcessEvents(t, [], source), recordProcessEvents(t, [], source)]);
  assert.equal(netlinkSockets().length, open + 1);
  const { pid, events } = await run(one, ['true']);
  assert.deepEqual(two.of(pid), events);
  one.end();
  one.end();
  const heard = one.events.length;
  const later = await run(two, ['true']);
  assert.equal(later.events.length, 2);
  assert.equal(one.events.length, heard);
  two.end();
  assert.equal(netlinkSockets().length, open);
  const { received } = source.counters();
  assert(received >= 4, String(received));

  const again = await recordProcessEvents(t, [], source);
  assert.equal((await run(again, ['true'])).events.length, 2);
  assert(source.counters().received >= received + 2);
  source.close();
  source.close();
  assert.equal(netlinkSockets().length, open);
});

test('a listener with two subscriptions is called once, until the second one ends', { skip }, async (t) => {
  const open = netlinkSockets().length;
  const source = createProcessEventSource({ types: new Set(['exit']) });
  t.after(() => source.close());
  const events: ProcessEvent[] = [];
  const listener = (more: readonly ProcessEvent[]): void => void events.push(...more);
  const [one, two] = await Promise.all([source.subscribe(listener), source.subscribe(listener)]);
  assert(one.kind === 'open' && two.kind === 'open');
  assert.deepEqual([one.isFirst, two.isFirst], [true, false]);
  one.end();
  one.end();
  const pid = await ended(spawn('true'));
  const exits = (): ProcessEvent[] => events.filter((event) => event.type === 'exit' && event.pid === pid);
  await waitFor('the exit', () => exits().length > 0);
  assert.equal(exits().length, 1);
  two.end();
  assert.equal(netlinkSockets().length, open);
  const again = await source.subscribe(listener);
  assert(again.kind === 'open' && again.isFirst);
  two.end();
  assert.equal(netlinkSockets().length, open + 1, 'an end of before the close ends nothing that came after it');
});

test('a subscription while it is being closed is refused, and nothing stays open', { skip }, async () => {
  const open = netlinkSockets().length;
  const source = createProcessEventSource({ types: new Set(['exit']) });
  const subscription = source.subscribe(() => assert.fail('told something'));
  source.close();
  assert.equal((await subscription).kind, 'unavailable');
  assert.equal(netlinkSockets().length, open);
});

test('a listener may close the source that is telling it something', { skip }, async (t) => {
  const open = netlinkSockets().length;
  const source = createProcessEventSource({ types: new Set(['exit']) });
  t.after(() => source.close());
  let calls = 0;
  // It may be told before `subscribe` has answered.
  await source.subscribe(() => {
    calls += 1;
    source.close();
  });
  spawnSync('true');
  await waitFor('an event', () => calls > 0);
  assert.equal(calls, 1);
  assert.equal(netlinkSockets().length, open);
});

test('what another program writes to the group is not believed', { skip: skipAsUser }, async (t) => {
  const recording = await recordProcessEvents(t, ['fork', 'exec', 'exit']);
  const { libc, fd } = forger();
  const forged = Buffer.from(JSON.parse(readFileSync(FIXTURE, 'utf8'))['exit by SIGKILL'], 'hex');
  forged.writeInt32LE(1, 52);
  forged.writeInt32LE(1, 56);
  // To the group, and to each of this process's own sockets.
  const ports = [...readFileSync('/proc/net/netlink', 'utf8').matchAll(/^\S+\s+11\s+([1-9]\d*)\s/gm)].map(([, port]) =>
    Number(port),
  );
  assert(ports.length > 0);
  for (const [port, groups] of [[0, 1], ...ports.map((port) => [port, 0] as const)] as const) {
    const address = netlinkAddress(port, groups);
    const sent = libc.sendto(fd, forged, forged.length, 0, address, address.length);
    assert(sent === forged.length || libc.errno() === libc.codes.ECONNREFUSED, `errno ${libc.errno()}`);
  }
  libc.close(fd);
  const { received } = recording.source.counters();
  await run(recording, ['true']);
  assert(recording.source.counters().received > received);
  assert.deepEqual(recording.of(1), []);
  assert.equal(recording.source.counters().lost, 0);
  recording.end();
});

const FIXTURE = join(import.meta.dirname, '../../../fixtures/process-events/messages.json');

function forger(): { readonly libc: Libc; readonly fd: number } {
  const libc = loadLibc() ?? assert.fail('no libc');
  const fd = libc.socket(16, 2, 11);
  assert(fd >= 0);
  return { libc, fd };
}

function netlinkAddress(port: number, groups: number): Buffer {
  const address = Buffer.alloc(12);
  address.writeUInt16LE(16, 0);
  address.writeUInt32LE(port, 4);
  address.writeUInt32LE(groups, 8);
  return address;
}

test('what does not fit into the buffer is counted exactly, and reported after what did', { skip }, async (t) => {
  const recording = await recordProcessEvents(t, ['comm', 'exit']);
  // What is missing on a processor shows between two events of it.
  const onEachProcessor = async (): Promise<void> => {
    for (const cpu of cpus().keys()) await run(recording, ['taskset', '-c', String(cpu), 'true']);
  };
  await onEachProcessor();
  // Nobody reads meanwhile. The buffer takes 40,000.
  const perl = spawnSync('perl', ['-e', '$0 = "name$_" for 1 .. 60_000; print $$'], { encoding: 'utf8' });
  const pid = Number(perl.stdout);
  await waitFor('the loss', () => recording.source.counters().lost > 0);
  await onEachProcessor();
  const { lost } = recording.source.counters();
  const renamed = recording.of(pid).filter(({ type }) => type === 'comm').length;
  // Its own exit, and events of others, are among them: on a busy machine hundreds.
  assert(renamed + lost >= 60_000 && renamed + lost < 65_000, JSON.stringify({ renamed, lost }));
  const losses = recording.events.filter((event) => event.type === 'lost');
  assert.equal(
    losses.reduce((sum, { count }) => sum + count, 0),
    lost,
  );
  const last = recording.events.findLastIndex((event) => event.type === 'comm' && event.pid === pid);
  assert(recording.events.indexOf(losses[0]!) > last);
  recording.end();
});
