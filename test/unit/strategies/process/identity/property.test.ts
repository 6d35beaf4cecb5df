import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { cutName } from '../../../../../src/core/process/comm.ts';
import type { RootProcess } from '../../../../../src/core/program/roots.ts';
import { findTrees } from '../../../../../src/strategies/process/identity/match.ts';
import { ProcessLook } from '../../../../../src/system/proc/look.ts';
import { ProcessTable } from '../../../../../src/system/proc/table.ts';
import { FakeKernel, type FakeProcess, type FakeProgram } from '../../../../helpers/fake-kernel.ts';
import { managed } from '../../../../helpers/strategy-parts.ts';
import { tempDir } from '../../../../helpers/temp-dir.ts';

// Whatever processes do: what would be stopped belongs to the program, and is nobody else's.

const STRANGER = 65_534;
/** Whose the program was when it was last seen. */
const RECORDED = 33;
const OWNERS = [0, RECORDED];
const TARGETS = ['appd', 'a-program-with-a-long-name', '/opt/appd'];

/** What would be stopped, each tree with its root first; undefined where it is refused. */
type Found = readonly (readonly FakeProcess[])[] | undefined;

/** The one place that knows how processes are looked for; remembers between looks what the strategy remembers. */
class Looker {
  readonly #folder: string;
  readonly #target: string;
  readonly #ownPid: number;
  /** What the last look found, as it is remembered. */
  #roots: readonly RootProcess[] = [];
  /** What would be stopped with the trees: the rest of dead roots' groups and sessions. */
  rest: readonly FakeProcess[] = [];
  /** What was known of it before the last look, and was there still, an owner's, with the same executable. */
  kept: readonly FakeProcess[] = [];

  constructor(folder: string, target: string, ownPid: number) {
    this.#folder = folder;
    this.#target = target;
    this.#ownPid = ownPid;
  }

  async look(kernel: FakeKernel): Promise<Found> {
    kernel.write(this.#folder);
    const process = managed('row', this.#target);
    const owners = { kind: 'known', uids: OWNERS, others: 'none' } as const;
    const by = {
      pidFile: undefined,
      argument: undefined,
      isOthers: () => false,
      maxMatches: 1,
      units: [],
      unitOf: () => undefined,
      knownBy: (by: string) => by,
      nowMs: 0,
    };
    const identity = { process, ownPid: this.#ownPid, owners, knownRoots: this.#roots, ...by };
    const table = new ProcessTable(this.#folder);
    this.kept = kernel.actors.filter(({ pid, startTime, kind, uids, program }) => {
      const root = this.#roots.find((one) => one.pid === pid && one.startTime === startTime);
      return kind === 'user' && root?.executable === program.exe && uids.every((uid) => OWNERS.includes(uid));
    });
    const found = await findTrees(table, identity, await ProcessLook.take(table));
    if (found.kind === 'refused') return undefined;
    if (found.trees.length === 0 && found.rest.length === 0)
      this.#roots = this.#roots.map((root) => (table.exists(root) ? root : { ...root, isEmpty: true }));
    if (found.trees.length > 0) {
      this.#roots = found.trees.flatMap(({ root: { pid, startTime, pgid, sid, executable = '' }, orphaned, by }) =>
        orphaned
          ? this.#roots.filter((root) => root.pid === pgid || root.pid === sid)
          : [{ pid, startTime, executable, knownBy: by }],
      );
    }
    const byPid = new Map(kernel.processes.map((one) => [one.pid, one]));
    this.rest = found.rest.flatMap(({ pid }) => byPid.get(pid) ?? []);
    return found.trees.map(({ root, descendants }) =>
      [root, ...descendants].map(({ pid }) => {
        const one = byPid.get(pid);
        assert.ok(one, `${pid} is there`);
        return one;
      }),
    );
  }
}

/** A story of processes, and of what each of them is to the program. */
class Story {
  readonly kernel = new FakeKernel();
  readonly own: FakeProcess;
  readonly #target: string;
  readonly #programs: readonly FakeProgram[];
  /** The program, what it has ever forked, whoever that has become, and the children that it had when it became the program. */
  readonly #belonging = new Set<FakeProcess>();

  constructor(target: string) {
    this.#target = target;
    this.#programs = programsLike(target);
    const shell = this.#start({ exe: '/bin/bash', argv: ['-bash'], comm: 'bash' }, 0, 10);
    const own = this.kernel.fork(shell, 0, 20);
    assert.ok(own);
    own.program = { exe: '/usr/bin/node', argv: ['node', 'main.js'], comm: 'node' };
    this.own = own;
    // A stranger at a terminal.
    this.#start({ exe: '/bin/bash', argv: ['-bash'], comm: 'bash' }, STRANGER, 30);
  }

  /** One thing happens; numbers choose who does what. */
  step({ act, who, what, flag }: Step): void {
    const { kernel } = this;
    const { actors } = kernel;
    const actor = actors[who % actors.length];
    const program = this.#programs[what % this.#programs.length];
    assert.ok(program);
    if (actor === undefined) return;
    switch (act) {
      case 'tick':
        kernel.tick();
        break;
      case 'start':
        this.#start(program, [0, RECORDED, STRANGER, STRANGER][who % 4] ?? 0);
        break;
      case 'fork':
        kernel.fork(actor, what);
        break;
      case 'appear':
        kernel.appear(flag ? 'kernel' : 'contained', program, who);
        break;
      case 'run': {
        const child = kernel.fork(actor, who);
        if (child === undefined) break;
        this.#bearOn(child);
        child.program = program;
        break;
      }
      case 'exec':
        if (actor !== this.own) actor.program = program;
        break;
      case 'rename':
        actor.program = { ...actor.program, comm: program.comm };
        break;
      case 'title':
        actor.program = { ...actor.program, argv: [`${this.#base}: worker`] };
        break;
      case 'setuid':
        if (actor !== this.own && actor.uids[0] === 0) actor.uids = flag ? [STRANGER, STRANGER] : [RECORDED, RECORDED];
        break;
      case 'raise': {
        // Set-user-id, where its argv is its caller's; or sudo(8), where it is root's own by now.
        const child = kernel.fork(actor, who);
        if (child === undefined) break;
        this.#bearOn(child);
        child.uids = flag ? [actor.uids[0], 0] : [0, 0];
        child.program = program;
        break;
      }
      case 'setsid':
        kernel.setsid(actor);
        break;
      case 'setpgid':
        kernel.setpgid(actor, flag ? undefined : actors[what % actors.length]);
        break;
      case 'exit':
        if (actor !== this.own) kernel.exit(actor, flag);
        break;
      default:
        act satisfies never;
    }
    this.#bearOn();
  }

  /** Holds what would be stopped beside the trees against what is true. */
  judgeRest(rest: readonly FakeProcess[]): void {
    const above = this.#aboveUs();
    for (const one of rest) {
      assert.ok(!above.has(one), `${said(one)} is we, or above us`);
      assert.equal(one.kind, 'user');
      assert.ok(this.#belonging.has(one), `${said(one)} does not descend from the program`);
    }
  }

  /** Holds what a look found against what is true. */
  judge(found: Found, kept: readonly FakeProcess[] = []): void {
    if (found === undefined) return;
    const all = found.flat();
    assert.equal(new Set(all).size, all.length, 'no two trees overlap');
    const [roots, above] = [found.flatMap(([root]) => root ?? []), this.#aboveUs()];
    assert.deepEqual(
      roots.map(({ startTime }) => startTime),
      roots.map(({ startTime }) => startTime).sort((a, b) => a - b),
    );
    for (const root of roots) assert.equal(root.state, 'S', `${said(root)} is dead`);
    for (const one of all) {
      assert.ok(!above.has(one), `${said(one)} is we, or above us`);
      assert.equal(one.kind, 'user', `${said(one)} is another kernel's, or the kernel's own`);
    }
    for (const one of all) assert.ok(this.#belonging.has(one), `${said(one)} does not descend from the program`);
    for (const one of this.kernel.actors) {
      if (one.kind !== 'user' || above.has(one) || !this.#isPlainly(one)) continue;
      assert.ok(all.includes(one), `${said(one)} is missing`);
    }
    for (const one of kept) assert.ok(above.has(one) || all.includes(one), `${said(one)} was it, and is missing`);
  }

  get #base(): string {
    return this.#target.slice(this.#target.lastIndexOf('/') + 1);
  }

  #start(program: FakeProgram, uid: number, at?: number): FakeProcess {
    const child = this.kernel.fork(this.kernel.init, uid, at);
    if (child === undefined) return this.kernel.init;
    Object.assign(child, { program, uids: [uid, uid], pgid: child.pid, sid: child.pid });
    this.#bearOn();
    return child;
  }

  /** Whoever is the program by now, and whoever was forked by one that belongs to it (by default: of all that live). */
  #bearOn(...newborn: FakeProcess[]): void {
    const ones = newborn.length > 0 ? newborn : this.kernel.processes;
    // A child may have the lower number.
    for (let known = -1; known < this.#belonging.size; ) {
      known = this.#belonging.size;
      for (const one of ones) {
        const inherits = one.forkedBy !== undefined && this.#belonging.has(one.forkedBy);
        if (inherits || this.#mayBe(one) || this.#hasJoined(one)) this.#belonging.add(one);
      }
    }
  }

  /** An owner's process that calls itself so in any way. */
  #mayBe({ kind, state, uids, program: { exe, argv, comm } }: FakeProcess): boolean {
    const names = [exe, ...argv, comm].map((name) => name.slice(name.lastIndexOf('/') + 1).replace(/: worker$/, ''));
    const isCalled = names.includes(this.#base) || comm === cutName(this.#base);
    return kind === 'user' && state === 'S' && uids.every((uid) => OWNERS.includes(uid)) && isCalled;
  }

  /** An owner's process in the group of one that belongs to it, or did when it lived: who owns both can have them join (setpgid(2)). */
  #hasJoined({ kind, state, uids, pgid }: FakeProcess): boolean {
    const leader = this.kernel.processes.find(({ pid }) => pid === pgid);
    const isItsGroup =
      leader === undefined ? [...this.#belonging].some(({ pid }) => pid === pgid) : this.#belonging.has(leader);
    return kind === 'user' && state === 'S' && uids.every((uid) => OWNERS.includes(uid)) && isItsGroup;
  }

  /** The program beyond doubt: its own file, by its own name, an owner's. */
  #isPlainly({ uids, program }: FakeProcess): boolean {
    return program === this.#programs[0] && uids.every((uid) => OWNERS.includes(uid));
  }

  #aboveUs(): Set<FakeProcess> {
    const above = new Set<FakeProcess>();
    const byPid = new Map(this.kernel.processes.map((one) => [one.pid, one]));
    for (let at: FakeProcess | undefined = this.own; at !== undefined; at = byPid.get(at.ppid)) above.add(at);
    return above;
  }
}

/** The first is the program itself; some only call themselves so, some are called nearly so. */
function programsLike(target: string): FakeProgram[] {
  const base = target.slice(target.lastIndexOf('/') + 1);
  const path = `/opt/${base}`;
  return [
    { exe: path, argv: [path, '--serve'], comm: base },
    { exe: '/bin/sleep', argv: [target, '600'], comm: 'sleep' },
    { exe: '/usr/bin/python3', argv: ['/usr/bin/python3', path], comm: base },
    { exe: `/home/u/${base}`, argv: [base], comm: base },
    { exe: '/bin/sleep', argv: ['sleep', '600'], comm: 'sleep' },
    { exe: `/opt/${base}2`, argv: [`${base}2`], comm: `${base}2` },
    { exe: `/opt/x${base}`, argv: [`x${base}`, base], comm: `x${base}` },
    { exe: '/usr/bin/vi', argv: ['vi', 'notes', path], comm: 'vi' },
  ];
}

function said({ pid, uids, program, pgid, sid, ppid }: FakeProcess): string {
  return `process ${pid} (${program.comm}: ${program.argv.join(' ')}, users ${uids.join()}, parent ${ppid}, group ${pgid}, session ${sid})`;
}

const ACTS = [
  ...(['tick', 'start', 'fork', 'run', 'exec', 'rename', 'title', 'setuid', 'raise', 'setsid', 'setpgid'] as const),
  ...(['exit', 'exit', 'exit', 'appear'] as const),
] as const;

interface Step {
  readonly act: (typeof ACTS)[number];
  readonly who: number;
  readonly what: number;
  readonly flag: boolean;
}

const step: fc.Arbitrary<Step> = fc.record({
  act: fc.constantFrom(...ACTS),
  who: fc.nat(200),
  what: fc.nat(200),
  flag: fc.boolean(),
});

for (const target of TARGETS) {
  test(`whatever processes do, what is taken for ${target} belongs to it`, async (t) => {
    const dir = tempDir(t);
    let stories = 0;
    const looks = fc.array(fc.array(step, { maxLength: 12 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(looks, async (chapters) => {
        const story = new Story(target);
        const looker = new Looker(join(dir, String(stories++)), target, story.own.pid);
        for (const steps of chapters) {
          for (const one of steps) story.step(one);
          const found = await looker.look(story.kernel);
          story.judge(found, looker.kept);
          if (found !== undefined) story.judgeRest(looker.rest);
        }
      }),
      { numRuns: 150 },
    );
  });
}

// Stories that chance seldom tells.
const tick: Step = { act: 'tick', who: 0, what: 0, flag: false };
const appd: FakeProgram = { exe: '/opt/appd', argv: ['/opt/appd'], comm: 'appd' };
const foreign: readonly [real: number, effective: number] = [STRANGER, STRANGER];

/** What comes of them, look by look. */
function telling(t: TestContext) {
  const story = new Story('appd');
  const looker = new Looker(join(tempDir(t), 'proc'), 'appd', story.own.pid);
  const start = (parent: FakeProcess, pid: number, changes: Partial<FakeProcess>): FakeProcess => {
    const child = story.kernel.fork(parent, 0, pid);
    assert.ok(child);
    return Object.assign(child, { program: appd }, changes);
  };
  const look = async (): Promise<number[]> => {
    story.step(tick);
    const found = await looker.look(story.kernel);
    story.judge(found, looker.kept);
    return found?.flatMap(([root]) => root?.pid ?? []) ?? [];
  };
  return { kernel: story.kernel, start, look, looker };
}

test('workers that a dead master left in its group are the program if they are its users’, else its rest', async (t) => {
  const { kernel, start, look, looker } = telling(t);
  const master = start(kernel.init, 100, { pgid: 100, sid: 100 });
  assert.deepEqual(await look(), [100]);
  for (const pid of [101, 102]) start(master, pid, { uids: foreign });
  assert.deepEqual(await look(), [100]);
  const own = start(master, 103, { uids: [RECORDED, RECORDED] });
  kernel.exit(master, true);
  assert.deepEqual(await look(), [103]);
  assert.deepEqual(pidsOf(looker.rest), [101, 102]);
  kernel.exit(own, true);
  assert.deepEqual(await look(), []);
  assert.deepEqual(pidsOf(looker.rest), [101, 102]);
});

function pidsOf(processes: readonly FakeProcess[]): number[] {
  return processes.map(({ pid }) => pid).sort((a, b) => a - b);
}

test('a stranger that gets the pid of a dead master is not the program', async (t) => {
  const { kernel, start, look } = telling(t);
  const master = start(kernel.init, 100, { pgid: 100, sid: 100 });
  assert.deepEqual(await look(), [100]);
  kernel.exit(master, true);
  assert.deepEqual(await look(), []);
  const stranger = start(kernel.init, 100, { uids: foreign, pgid: 100, sid: 100 });
  assert.deepEqual(await look(), []);
  start(stranger, 101, { uids: foreign });
  kernel.exit(stranger, true);
  assert.deepEqual(await look(), []);
});

test('a stranger in whose session it ran, and who joins its group, is not the program', async (t) => {
  const { kernel, start, look } = telling(t);
  const shell = start(kernel.init, 100, { uids: foreign, pgid: 100, sid: 100 });
  const master = start(shell, 101, { uids: [0, 0], pgid: 101 });
  const stranger = start(shell, 102, { uids: foreign });
  kernel.setpgid(stranger, master);
  assert.deepEqual(await look(), [101]);
  kernel.exit(master, true);
  assert.deepEqual(await look(), []);
});
