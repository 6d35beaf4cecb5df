import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { systemClock } from '../../../src/core/clock.ts';
import { type ProcessEvent, type ProcessEventType, processEventTypes } from '../../../src/core/process/event.ts';
import type { EventLine } from '../../../src/core/process/event-line.ts';
import { EventDescriber } from '../../../src/stream/describer.ts';
import { ProcessMemory } from '../../../src/stream/process-memory.ts';
import { ProcessTable } from '../../../src/system/proc/table.ts';
import { exitOf, NO_PID } from '../../helpers/event-world.ts';
import { tempDir } from '../../helpers/temp-dir.ts';

const all: ReadonlySet<ProcessEventType> = new Set(processEventTypes);

/** A table that counts what is read of it. */
class CountedTable extends ProcessTable {
  reads = 0;

  override read: ProcessTable['read'] = (pid, fields) => {
    this.reads++;
    return super.read(pid, fields);
  };

  override bytes(...asked: Parameters<ProcessTable['bytes']>): Buffer | undefined {
    this.reads++;
    return super.bytes(...asked);
  }
}

function describerOn(table: ProcessTable = new ProcessTable()): {
  tell: (event: ProcessEvent, wanted?: ReadonlySet<ProcessEventType>) => EventLine | undefined;
  memory: ProcessMemory;
} {
  const memory = new ProcessMemory(table, systemClock);
  const describer = new EventDescriber({
    memory,
    userName: (uid) => `user${uid}`,
    monitoredName: (pid) => (pid === NO_PID + 9 ? 'web' : undefined),
  });
  return { tell: (event, wanted = all) => describer.describe(event, wanted), memory };
}

async function started(t: TestContext, ...command: [string, ...string[]]): Promise<ChildProcess & { pid: number }> {
  const [file, ...args] = command;
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => void child.kill('SIGKILL'));
  await once(child, 'spawn');
  return child as ChildProcess & { pid: number };
}

const uid = process.geteuid?.() ?? 0;
/** Where a program stands that does not end. */
const cat = '/bin/cat';

describe('the describer of process events', () => {
  it('says whose an exec is and its command line, and remembers it for the exit', async (t) => {
    const { tell } = describerOn();
    const name = join(tempDir(t), 'a very long name of a program');
    symlinkSync(cat, name);
    const child = await started(t, name, '-', 'ü', '');
    tell({ type: 'fork', at: 1000, pid: child.pid, parentPid: process.pid });
    // Not before the program runs.
    child.stdin?.write('x');
    await once(child.stdout ?? child, 'data');
    assert.deepEqual(tell({ type: 'exec', at: 1001, pid: child.pid }), {
      event: 'exec',
      pid: child.pid,
      user: `user${uid}`,
      cmdline: `${name} - ü`,
      time: '1970-01-01T00:00:01.001Z',
      comm: 'a very long nam',
      ppid: process.pid,
    });
    child.kill('SIGKILL');
    await once(child, 'close');
    assert.deepEqual(tell({ type: 'exit', at: 3000.6, pid: child.pid, parentPid: 0, status: 0x8b }), {
      event: 'exit',
      pid: child.pid,
      exit_code: 0x8b,
      user: `user${uid}`,
      signal: 'SIGSEGV',
      core_dumped: true,
      lifetime_ms: 2001,
      time: '1970-01-01T00:00:03.000Z',
      comm: 'a very long nam',
      ppid: process.pid,
    });
    assert.deepEqual(
      tell(exitOf(child.pid))?.event === 'exit' && 'comm' in (tell(exitOf(child.pid)) ?? {}),
      false,
      'and then no more',
    );
  });

  it('reads what no event has reported from /proc, the beginning too', async (t) => {
    const child = await started(t, cat);
    for (const relearn of [true, false]) {
      const { tell, memory } = describerOn();
      if (relearn) await memory.relearn();
      const line = tell({ type: 'exit', at: Date.now(), pid: child.pid, parentPid: process.pid, status: 0 });
      assert.ok(line?.event === 'exit');
      assert.deepEqual([line.user, line.comm, line.exit_status], [`user${uid}`, 'cat', 0]);
      assert.ok(line.lifetime_ms !== undefined && line.lifetime_ms < 60_000, String(line.lifetime_ms));
    }
  });

  it('follows names and users', () => {
    const { tell } = describerOn();
    tell({ type: 'fork', at: 1, pid: NO_PID, parentPid: process.pid });
    tell({ type: 'comm', at: 2, pid: NO_PID, name: 'renamed' });
    const line = tell({ type: 'uid', at: 3, pid: NO_PID, real: 5, effective: 7 });
    const context = { time: '1970-01-01T00:00:00.003Z', comm: 'renamed', ppid: process.pid };
    assert.deepEqual(line, { event: 'uid', pid: NO_PID, user: 'user7', real: 5, effective: 7, ...context });
    assert.deepEqual(tell({ type: 'ptrace', at: 3, pid: NO_PID, tracerPid: 12 }), {
      event: 'ptrace',
      pid: NO_PID,
      user: 'user7',
      tracer_pid: 12,
      ...context,
    });
    for (const type of ['sid', 'comm', 'coredump'] as const) {
      const event = { type, at: 3, pid: NO_PID, parentPid: process.pid, name: 'renamed' } as ProcessEvent;
      assert.deepEqual(tell(event), { event: type, pid: NO_PID, user: 'user7', ...context });
    }
  });

  it('says unknown, and leaves out what is not available', () => {
    const { tell } = describerOn();
    const time = '1970-01-01T00:00:00.001Z';
    assert.deepEqual(tell({ type: 'exec', at: 1, pid: NO_PID }), {
      event: 'exec',
      pid: NO_PID,
      user: 'unknown',
      cmdline: '',
      time,
    });
    assert.deepEqual(tell({ type: 'exit', at: 1, pid: NO_PID + 9, parentPid: 0, status: 9 }), {
      event: 'exit',
      pid: NO_PID + 9,
      exit_code: 9,
      user: 'unknown',
      signal: 'SIGKILL',
      core_dumped: false,
      time,
      monitored: 'web',
    });
  });

  it('cuts a long command line, and makes text of any bytes', async (t) => {
    const { tell } = describerOn();
    const script = 'const a = process.stdin; a.resume(); console.log(1)';
    const child = await started(t, process.execPath, '-e', script, 'é'.repeat(50_000));
    await once(child.stdout ?? child, 'data');
    const line = tell({ type: 'exec', at: 1, pid: child.pid });
    assert.ok(line?.event === 'exec');
    assert.ok(Buffer.byteLength(line.cmdline) <= 4096 && line.cmdline.length > 2000);
    assert.ok(!line.cmdline.includes('\ufffd'), 'not cut within a character');
    const odd = await started(t, 'bash', '-c', `exec -a $'a\\xff\\nb' cat`);
    odd.stdin?.write('x');
    await once(odd.stdout ?? odd, 'data');
    const told = tell({ type: 'exec', at: 1, pid: odd.pid });
    assert.equal(told?.event === 'exec' ? told.cmdline : '', 'a\ufffd\nb');
  });

  it('does not ask /proc for what nobody wants', () => {
    const table = new CountedTable();
    const { tell } = describerOn(table);
    tell({ type: 'fork', at: 1, pid: process.pid, parentPid: process.ppid }, new Set(['fork']));
    table.reads = 0;
    for (const wanted of [new Set<ProcessEventType>(), new Set<ProcessEventType>(['sid'])]) {
      for (const event of [
        { type: 'fork', at: 1, pid: NO_PID, parentPid: process.pid },
        { type: 'exec', at: 1, pid: process.pid },
        { type: 'exit', at: 1, pid: process.pid, parentPid: 1, status: 0 },
      ] as const)
        assert.equal(tell(event, wanted), undefined);
    }
    assert.equal(table.reads, 0);
  });

  it('looks but once for a process that is gone', () => {
    const table = new CountedTable();
    const { tell } = describerOn(table);
    tell({ type: 'fork', at: 1, pid: NO_PID, parentPid: process.pid });
    table.reads = 0;
    const exec = tell({ type: 'exec', at: 2, pid: NO_PID });
    const exit = tell({ type: 'exit', at: 4, pid: NO_PID, parentPid: process.pid, status: 0 });
    assert.equal(table.reads, 1);
    assert.equal(exec?.event === 'exec' ? exec.cmdline : undefined, '');
    assert.deepEqual(exit?.event === 'exit' && [exit.user, exit.comm, exit.lifetime_ms], [`user${uid}`, undefined, 3]);
  });

  it('knows a wanted process that began while nobody wanted it', async (t) => {
    const { tell, memory } = describerOn();
    const child = await started(t, cat);
    const nothing = new Set<ProcessEventType>();
    tell({ type: 'fork', at: 1, pid: child.pid, parentPid: process.pid }, nothing);
    tell({ type: 'exec', at: 2, pid: child.pid }, nothing);
    await memory.catchUp();
    child.kill('SIGKILL');
    await once(child, 'close');
    const exit = tell({ type: 'exit', at: 3, pid: child.pid, parentPid: process.pid, status: 9 });
    assert.deepEqual(exit?.event === 'exit' && [exit.comm, exit.user], ['cat', `user${uid}`]);
  });

  it('reports a loss, and forgets what may no longer be true', () => {
    const { tell } = describerOn();
    tell({ type: 'fork', at: 1, pid: NO_PID, parentPid: process.pid });
    assert.deepEqual(tell({ type: 'lost', at: 1, count: 5 }, new Set()), {
      event: 'lost',
      count: 5,
      time: '1970-01-01T00:00:00.001Z',
    });
    assert.deepEqual(Object.keys(tell({ type: 'sid', at: 1, pid: NO_PID }) ?? {}), ['event', 'pid', 'user', 'time']);
    const own = tell({ type: 'sid', at: 1, pid: process.pid });
    assert.ok(own !== undefined && 'comm' in own);
  });
});
