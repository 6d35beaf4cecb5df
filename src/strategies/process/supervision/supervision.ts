// Remembers who else keeps each program running, and how long to wait for them.
import process from 'node:process';
import type { ManagedProcess } from '../../../core/alarm.ts';
import type { Clock } from '../../../core/clock.ts';
import type { Logger } from '../../../core/logger.ts';
import { type KeeperProcess, type ProgramRoots, type RootProcess, sameProcess } from '../../../core/program/roots.ts';
import { formatDuration } from '../../../core/text/duration.ts';
import type { SeenProcess } from '../../../system/proc/look.ts';
import type { ProcessTable } from '../../../system/proc/table.ts';
import type { OtherSupervisor } from '../../../system/systemd/running-processes.ts';
import type { ProcessTree } from '../identity/identity.ts';
import { type Keeper, type KeeperContext, keepersAbove, lookAtKeeper } from './keepers.ts';

/** What is needed to know who else keeps a program running. */
interface SupervisionParts {
  readonly table: ProcessTable;
  readonly clock: Clock;
  readonly log: Logger;
  /** What an earlier run of the daemon saw. */
  readonly roots: ProgramRoots;
  /** `supervisor_wait`. */
  readonly waitMs: number;
}

/**
 * Who else keeps each program running, as the looks at it saw, and since when nothing of it runs. A supervisor's time counts
 * from that moment, whoever asks, so that an exit and an alarm of the same moment wait for the same end.
 */
export class Supervision {
  readonly #parts: SupervisionParts;
  readonly #seen = new Map<string, readonly RootProcess[]>();
  /** The arguments of keepers. */
  readonly #argvs = new Map<string, readonly string[]>();
  /** `lookedMs`: when it was last looked for, and did not run. */
  readonly #gone = new Map<string, { readonly sinceMs: number; lookedMs: number; isLogged: boolean }>();

  constructor(parts: SupervisionParts) {
    this.#parts = parts;
  }

  /** One look (`all`) found these trees of the program. */
  saw(systemName: string, trees: readonly ProcessTree[], all: ReadonlyMap<number, SeenProcess>): void {
    const argvOf = argumentsIn(all);
    for (const keeper of this.#rootsOf(systemName).flatMap(({ keepers = [] }) => keepers))
      this.#keepArgv(keeper, argvOf(keeper));
    const before = this.#rootsOf(systemName);
    if (trees.length === 0) {
      if (before.length > 0) this.#sawNothing(systemName);
      return;
    }
    this.#gone.delete(systemName);
    // What a dead master left behind has the same keepers as the master.
    const roots = trees.slice(0, MOST_ROOTS).flatMap(({ root, orphaned }) => (orphaned ? [] : [root]));
    const isKnown = roots.length === before.length && roots.every((root) => before.some(sameProcess(root)));
    if (roots.length === 0 || (isKnown && this.#seen.has(systemName))) return;
    const now = roots.map(({ pid, startTime }): RootProcess => {
      const keepers =
        before.find(sameProcess({ pid, startTime }))?.keepers ?? this.#keepersAbove({ pid, startTime }, systemName, argvOf);
      return { pid, startTime, ...(keepers.length > 0 && { keepers }) };
    });
    this.#seen.set(
      systemName,
      now.map((root) => withRepeaters(root, [...before, ...now])),
    );
  }

  /** A program that was not looked for during a whole wait may have run in between, and be gone again. */
  #sawNothing(systemName: string): void {
    const nowMs = this.#parts.clock.monotonicMs();
    const gone = this.#gone.get(systemName);
    if (gone !== undefined && nowMs - gone.lookedMs <= this.#parts.waitMs) gone.lookedMs = nowMs;
    else this.#gone.set(systemName, { sinceMs: nowMs, lookedMs: nowMs, isLogged: false });
  }

  /** The program's root with the processes that may start it again. */
  withKeepers(systemName: string, root: RootProcess): RootProcess {
    const keepers = this.#rootsOf(systemName).find(sameProcess(root))?.keepers;
    return { ...root, ...(keepers && { keepers }) };
  }

  /** The living process that counts as the program's supervisor; undefined if there is none. */
  of(systemName: string): Keeper | undefined {
    return this.#living(systemName).find(({ counts }) => counts);
  }

  /** For people: who may have started what runs now; undefined if no such process lives. */
  starter(systemName: string): string | undefined {
    return this.#living(systemName)[0]?.description;
  }

  /** For people: what counts as the program's supervisor, and what that means. */
  keeperLine(systemName: string): string | undefined {
    const supervisor = this.of(systemName);
    const wait = formatDuration(this.#parts.waitMs);
    return supervisor && `kept by ${supervisor.description}: given ${wait} to start it again`;
  }

  /**
   * What those who wait for the program's end or return have to know about its supervisor; undefined if there is nothing to
   * know.
   */
  supervisorState(systemName: string): OtherSupervisor | undefined {
    const awaited = this.awaited(systemName);
    if (awaited !== undefined) return awaited;
    const supervisor = this.of(systemName);
    return supervisor && { description: supervisor.description, leftMs: 0 };
  }

  /**
   * Who may be about to start the program, of which nothing runs, and how much longer to wait for that; undefined if the
   * program runs, if no such process lives, or if its time is over. A parent that does not count as a supervisor has 1.5 s.
   */
  awaited(systemName: string): OtherSupervisor | undefined {
    const gone = this.#gone.get(systemName);
    if (gone === undefined) return undefined;
    const { clock, waitMs } = this.#parts;
    const passedMs = clock.monotonicMs() - gone.sinceMs;
    if (passedMs >= waitMs) return undefined;
    for (const { counts, description } of this.#living(systemName)) {
      const leftMs = (counts ? waitMs : Math.min(waitMs, PARENT_WAIT_MS)) - passedMs;
      if (leftMs > 0) return { description, leftMs };
    }
    return undefined;
  }

  /** Logs that a wait for the process's program begins, once for each time that the program is gone. */
  logWait({ systemName, processName }: ManagedProcess): void {
    const gone = this.#gone.get(systemName);
    const supervisor = gone === undefined || gone.isLogged ? undefined : this.of(systemName);
    const awaited = supervisor && this.awaited(systemName);
    if (gone === undefined || awaited === undefined) return;
    gone.isLogged = true;
    this.#parts.log.info(
      `${processName} does not run: ${awaited.description} is given ${formatDuration(this.#parts.waitMs)} to start it again`,
      { process_name: processName },
    );
  }

  /** Those that count come first. */
  #living(systemName: string): readonly Keeper[] {
    const keepers = this.#rootsOf(systemName).flatMap((root) => root.keepers ?? []);
    const context = { table: this.#parts.table, argvOf: (keeper: KeeperProcess) => this.#argvs.get(keyOf(keeper)) };
    const living = keepers.flatMap((keeper) => lookAtKeeper(context, keeper) ?? []);
    return living.sort((a, b) => Number(b.counts) - Number(a.counts));
  }

  /** The arguments of keepers seldom change: those of the last look are good enough. */
  #keepArgv(keeper: KeeperProcess, argv: readonly string[] | undefined): void {
    if (this.#argvs.size >= MOST_ARGVS) this.#argvs.clear();
    if (argv !== undefined) this.#argvs.set(keyOf(keeper), argv);
  }

  #rootsOf(systemName: string): readonly RootProcess[] {
    return this.#seen.get(systemName) ?? this.#parts.roots.get(systemName);
  }

  #keepersAbove(root: RootProcess, systemName: string, argvOf: KeeperContext['argvOf']): readonly KeeperProcess[] {
    const keepers = keepersAbove({ table: this.#parts.table, ownPid: process.pid, argvOf }, root, systemName);
    for (const keeper of keepers) this.#keepArgv(keeper, argvOf(keeper));
    return keepers;
  }
}

/** The root; keepers that another one of these roots has too are marked. */
function withRepeaters(root: RootProcess, all: readonly RootProcess[]): RootProcess {
  if (root.keepers === undefined) return root;
  const others = all.filter((other) => !sameProcess(root)(other)).flatMap(({ keepers = [] }) => keepers);
  const keepers = root.keepers.map((keeper) =>
    others.some(sameProcess(keeper)) ? { ...keeper, startsAgain: true as const } : keeper,
  );
  return { ...root, keepers };
}

function argumentsIn(all: ReadonlyMap<number, SeenProcess>): KeeperContext['argvOf'] {
  return ({ pid, startTime }) => {
    const seen = all.get(pid);
    return seen?.startTime === startTime ? seen.argv : undefined;
  };
}

function keyOf({ pid, startTime }: KeeperProcess): string {
  return `${pid} ${startTime}`;
}

const MOST_ARGVS = 1000;

/** For a parent about which nothing is known. */
const PARENT_WAIT_MS = 1500;
/** Keepers are looked up for this many copies at most. */
const MOST_ROOTS = 32;
