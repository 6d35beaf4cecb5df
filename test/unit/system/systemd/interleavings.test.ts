import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { RunFiles } from '../../../../src/system/runs/files.ts';
import { TransientCommandRunner } from '../../../../src/system/runs/transient.ts';
import { BEGUN } from '../../../../src/system/runs/verdict.ts';
import type { CommandResult } from '../../../../src/system/spawn/command-result.ts';
import { runJob } from '../../../../src/system/systemd/jobs.ts';
import type { ServiceCallResult } from '../../../../src/system/systemd/service-manager.ts';
import { type FakeOutgoing, FakePid1, type FakePid1Options, pause } from '../../../helpers/pid1/fake-pid1.ts';
import { leavesNothing } from '../../../helpers/pid1/leaves-nothing.ts';
import { RecordedLog } from '../../../helpers/recorded-log.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

/**
 * One command, or one job, and around it whatever can happen between us and PID 1: signals in every order, twice, or late; connections
 * that are cut, also within a message; a PID 1 that is executed anew, or falls silent for a while. What is told of the command or the
 * job is right, or says that it is not known.
 */
test('a command: whatever happens between us and systemd, the verdict is right, or says that it is not known', async (t) => {
  const dir = join(tempDir(t), 'runs');
  mkdirSync(dir);
  const files = new RunFiles({ dir, log: new RecordedLog() });
  let runs = 0;
  let right = 0;
  const play = async (scenario: CommandScenario): Promise<void> => {
    const { fake, settled } = disturbed(scenario);
    let truth: string | undefined;
    fake.onProgram = (program) => {
      program.say(`${BEGUN}\n`);
      program.onTerm = () => {
        truth ??= 'SIGTERM';
        program.die(15);
      };
      const end = (): void => {
        if (truth !== undefined) return;
        truth = String(scenario.end);
        if (typeof scenario.end === 'number') program.exit(scenario.end);
        else program.die(9);
      };
      if (scenario.endsAfterMs === 0) end();
      else setTimeout(end, scenario.endsAfterMs);
    };
    const pid1 = fake.pid1();
    const runner = new TransientCommandRunner({ files, dir, services: fake.systemd(pid1), pid1 });
    const command = {
      line: 'played',
      kind: scenario.kind,
      runId: `run-${++runs}`,
      description: 'x',
      environment: {},
      timeoutMs: LIMIT_MS,
    };
    const result = await runner.run(command, new AbortController().signal);
    await settled();
    fake.close();
    if (verdictOf(result) === truth) right++;
    else assert.ok(isUnknown(result), `${JSON.stringify(result)} of one that ended with ${truth}: ${JSON.stringify(scenario)}`);
  };
  await leavesNothing(
    t,
    () => {},
    () => playAll(fc.record({ ...disturbances, kind: fc.constantFrom('check', 'action'), end, endsAfterMs: aMoment }), play),
  );
  // Otherwise nothing would be shown.
  assert.ok(right > RUNS / 2, `${right} of ${runs} are known`);
});

test('a job: whatever happens between us and systemd, never is one that failed called done', async (t) => {
  let jobs = 0;
  let right = 0;
  const play = async (scenario: JobScenario): Promise<void> => {
    const { fake, settled } = disturbed(scenario);
    const unit = `unit-${++jobs}.service`;
    const { verb, type, result, finishesAfterMs } = scenario;
    const held = finishesAfterMs > 0;
    const before = fake.add(unit, { state: scenario.state, type, plan: () => ({ result, held }) }).invocation.toString('hex');
    fake.intercept = ({ member }) => {
      if (held && METHODS.includes(member))
        setTimeout(() => {
          if (fake.unit(unit)?.job !== undefined) fake.finish(unit, { result });
        }, finishesAfterMs);
      return false;
    };
    const told = await runJob(fake.pid1(), verb, unit, { timeoutMs: LIMIT_MS });
    await settled();
    const now = fake.unit(unit);
    const hasWorked = type === 'oneshot' && result === 'done' && fake.calls.some(({ member }) => METHODS.includes(member));
    const isUp = now?.activeState === 'active';
    const isNew = now !== undefined && now.invocation.toString('hex') !== before;
    const isAsWanted = verb === 'stop' ? !isUp : hasWorked || (isUp && (verb === 'start' || isNew));
    fake.close();
    if ((told.kind === 'done') === isAsWanted && (told.kind === 'done') === (result === 'done')) right++;
    const isRight = told.kind === 'done' ? isAsWanted : result === 'failed' || !isAsWanted || isNotKnown(told);
    assert.ok(isRight, `${JSON.stringify(told)}, and it is ${now?.activeState}: ${JSON.stringify(scenario)}`);
  };
  const job = fc.record({
    ...disturbances,
    verb: fc.constantFrom('start' as const, 'restart' as const, 'stop' as const),
    state: fc.constantFrom('active' as const, 'inactive' as const),
    type: fc.constantFrom('simple' as const, 'oneshot' as const),
    result: fc.constantFrom('done', 'failed'),
    finishesAfterMs: aMoment,
  });
  await leavesNothing(
    t,
    () => {},
    () => playAll(job, play),
  );
  assert.ok(right > RUNS / 2, `${right} of ${jobs} are known`);
});

const RUNS = 200;
/** Played at once: most of a scenario is waiting. */
const AT_ONCE = 20;
const LIMIT_MS = 60_000;
const METHODS: readonly string[] = ['StartUnit', 'RestartUnit', 'StopUnit'];

interface Disturbances {
  readonly way: FakePid1Options;
  readonly order: keyof typeof ORDERS;
  /** At which steps what happens: a step is a call that is read, or a message that is sent. */
  readonly faults: readonly { readonly at: number; readonly what: Fault; readonly forMs: number }[];
}

type Fault = 'cut' | 'cut_in_message' | 'reexec' | 'silence';

interface CommandScenario extends Disturbances {
  readonly kind: 'check' | 'action';
  /** Its exit code, or killed. */
  readonly end: number | 'SIGKILL';
  readonly endsAfterMs: number;
}

interface JobScenario extends Disturbances {
  readonly verb: 'start' | 'restart' | 'stop';
  readonly state: 'active' | 'inactive';
  readonly type: 'simple' | 'oneshot';
  readonly result: string;
  readonly finishesAfterMs: number;
}

type Order = (items: readonly FakeOutgoing[]) => readonly FakeOutgoing[];

const first =
  (wanted: (item: FakeOutgoing) => boolean): Order =>
  (items) =>
    items.toSorted((a, b) => Number(wanted(b)) - Number(wanted(a)));

const ORDERS = {
  as_systemd: (items) => items,
  answers_first: first(({ kind }) => kind === 'reply'),
  answers_last: first(({ kind }) => kind !== 'reply'),
  jobs_first: first(({ member }) => member === 'JobRemoved'),
  jobs_last: first(({ member }) => member !== 'JobRemoved'),
  twice: (items) => items.flatMap((item) => (item.kind === 'signal' ? [item, item] : [item])),
  one_by_one: (items) => items.flatMap((item) => [item, pause]),
  late: (items) => [pause, pause, pause, ...items],
  halves_apart: (items) => items.flatMap((item) => (item.member === 'PropertiesChanged' ? [item, pause, pause] : [item])),
  last_change_only: (items) => {
    const last = items.filter(({ member }) => member === 'PropertiesChanged').slice(-2);
    return items.filter((item) => item.member !== 'PropertiesChanged' || last.includes(item));
  },
} as const satisfies Record<string, Order>;

const aMoment = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 60 }));
const end = fc.constantFrom(0, 3, 1, 'SIGKILL' as const);
const disturbances = {
  way: fc.constantFrom<FakePid1Options>({ privateOnly: true }, { busOnly: true }, {}, { version: 239 }),
  order: fc.constantFrom(...(Object.keys(ORDERS) as (keyof typeof ORDERS)[])),
  faults: fc.array(
    fc.record({
      at: fc.integer({ min: 1, max: 40 }),
      what: fc.constantFrom<Fault>('cut', 'cut_in_message', 'reexec', 'silence'),
      forMs: fc.nat(40),
    }),
    { maxLength: 4 },
  ),
};

async function playAll<T>(scenario: fc.Arbitrary<T>, play: (scenario: T) => Promise<void>): Promise<void> {
  const many = fc.array(scenario, { minLength: AT_ONCE, maxLength: AT_ONCE });
  await fc.assert(
    fc.asyncProperty(many, async (scenarios) => {
      await Promise.all(scenarios.map(play));
    }),
    // Each scenario says itself what it was.
    { numRuns: RUNS / AT_ONCE, endOnFailure: true },
  );
}

/** A PID 1 to which all that happens; `settled`: none of it is going on any more. */
function disturbed({ way, order, faults }: Disturbances): { readonly fake: FakePid1; settled(): Promise<void> } {
  const fake = FakePid1.create(way);
  const going: Promise<void>[] = [];
  const later = (ms: number, act: () => void): void => {
    going.push(
      new Promise((resolve) => {
        setTimeout(() => {
          act();
          resolve();
        }, ms);
      }),
    );
  };
  fake.arrange = ORDERS[order];
  fake.onStep = (step) => {
    for (const { at, what, forMs } of faults) {
      if (at !== step) continue;
      switch (what) {
        case 'cut':
        case 'cut_in_message':
          fake.cut({ inMessage: what === 'cut_in_message' });
          break;
        case 'reexec':
          fake.goAway();
          later(forMs, () => fake.comeBack());
          break;
        case 'silence':
          fake.hush();
          later(forMs, () => fake.speak());
          break;
        default:
          what satisfies never;
      }
    }
  };
  return {
    fake,
    settled: async () => {
      fake.onStep = () => {};
      await Promise.all(going);
    },
  };
}

function verdictOf(result: CommandResult): string {
  return result.kind === 'exited' ? String(result.exitCode) : result.kind === 'signaled' ? result.signal : result.kind;
}

function isUnknown(result: CommandResult): boolean {
  return result.kind === 'lost';
}

function isNotKnown(told: ServiceCallResult): boolean {
  return told.kind === 'failed' && told.reason.includes('how it ended is not known');
}
