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
import { type Keeper, type KeeperSight, keepersAbove, lookAtKeeper } from './keepers.ts';

/** What is needed to know who else keeps a program running. */
interface SupervisionParts {
  readonly table: ProcessTable;
  readonly clock: Clock;
  readonly log: Logger;
  /** What an earlier life of the daemon saw. */
  readonly roots: ProgramRoots;
  /** `supervisor_wait`. */
  readonly waitMs: number;
}

/**
 * Who else keeps each program running, as its looks saw it, and since when nothing of it runs: a supervisor has its time from then on,
 * whoever asks, so that an exit and an alarm of the same moment wait for the same.
 */
export class Supervision {
  readonly #parts: SupervisionParts;
  readonly #seen = new Map<string, readonly RootProcess[]>();
  /** `lookedMs`: when it was last looked for, and did not run. */
  /** Of keepers. */
  readonly #argvs = new Map<string, readonly string[]>();
  readonly #gone = new Map<string, { readonly sinceMs: number; lookedMs: number; told: boolean }>();

  constructor(parts: SupervisionParts) {
    this.#parts = parts;
  }

  /** One look (`all`) at the program found these trees of it. */
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
    // What a dead master left behind is kept by whoever kept that.
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

  /** Who has not been looked for as long as a wait takes may have come back in between, and be gone anew. */
  #sawNothing(systemName: string): void {
    const nowMs = this.#parts.clock.monotonicMs();
    const gone = this.#gone.get(systemName);
    if (gone !== undefined && nowMs - gone.lookedMs <= this.#parts.waitMs) gone.lookedMs = nowMs;
    else this.#gone.set(systemName, { sinceMs: nowMs, lookedMs: nowMs, told: false });
  }

  /** The program's root with those that may start it again. */
  withKeepers(systemName: string, root: RootProcess): RootProcess {
    const keepers = this.#rootsOf(systemName).find(sameProcess(root))?.keepers;
    return { ...root, ...(keepers && { keepers }) };
  }

  /** The one that counts as the program's supervisor and lives; undefined where there is none. */
  of(systemName: string): Keeper | undefined {
    return this.#living(systemName).find(({ counts }) => counts);
  }

  /** For people: who may have started what runs now; undefined where nobody lives who might. */
  starter(systemName: string): string | undefined {
    return this.#living(systemName)[0]?.description;
  }

  /** For people: who counts as the program's supervisor, and what that means. */
  keeperLine(systemName: string): string | undefined {
    const supervisor = this.of(systemName);
    const wait = formatDuration(this.#parts.waitMs);
    return supervisor && `kept by ${supervisor.description}: given ${wait} to start it again`;
  }

  /** What whoever waits for the program's end or return has to know of its supervisor; undefined where there is nothing to know. */
  sight(systemName: string): OtherSupervisor | undefined {
    const awaited = this.awaited(systemName);
    if (awaited !== undefined) return awaited;
    const supervisor = this.of(systemName);
    return supervisor && { description: supervisor.description, leftMs: 0 };
  }

  /**
   * Who may be about to start the program, of which nothing runs, and how much longer that is waited for; undefined where it runs, where
   * nobody lives who might, and when their time is over. A parent that does not count has 1.5 s.
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

  /** Tells the log that a wait for the process's program begins, once for each time that it is gone. */
  tellWait({ systemName, processName }: ManagedProcess): void {
    const gone = this.#gone.get(systemName);
    const supervisor = gone === undefined || gone.told ? undefined : this.of(systemName);
    const awaited = supervisor && this.awaited(systemName);
    if (gone === undefined || awaited === undefined) return;
    gone.told = true;
    this.#parts.log.info(
      `${processName} does not run: ${awaited.description} is given ${formatDuration(this.#parts.waitMs)} to start it again`,
      { process_name: processName },
    );
  }

  /** Whoever counts comes first. */
  #living(systemName: string): readonly Keeper[] {
    const keepers = this.#rootsOf(systemName).flatMap((root) => root.keepers ?? []);
    const sight = { table: this.#parts.table, argvOf: (keeper: KeeperProcess) => this.#argvs.get(keyOf(keeper)) };
    const living = keepers.flatMap((keeper) => lookAtKeeper(sight, keeper) ?? []);
    return living.sort((a, b) => Number(b.counts) - Number(a.counts));
  }

  /** The arguments of whoever keeps programs change seldom: those of the last look will do. */
  #keepArgv(keeper: KeeperProcess, argv: readonly string[] | undefined): void {
    if (this.#argvs.size >= MOST_ARGVS) this.#argvs.clear();
    if (argv !== undefined) this.#argvs.set(keyOf(keeper), argv);
  }

  #rootsOf(systemName: string): readonly RootProcess[] {
    return this.#seen.get(systemName) ?? this.#parts.roots.get(systemName);
  }

  #keepersAbove(root: RootProcess, systemName: string, argvOf: KeeperSight['argvOf']): readonly KeeperProcess[] {
    const keepers = keepersAbove({ table: this.#parts.table, ownPid: process.pid, argvOf }, root, systemName);
    for (const keeper of keepers) this.#keepArgv(keeper, argvOf(keeper));
    return keepers;
  }
}

/** The root, its keepers marked that another one of these has too. */
function withRepeaters(root: RootProcess, all: readonly RootProcess[]): RootProcess {
  if (root.keepers === undefined) return root;
  const others = all.filter((other) => !sameProcess(root)(other)).flatMap(({ keepers = [] }) => keepers);
  const keepers = root.keepers.map((keeper) =>
    others.some(sameProcess(keeper)) ? { ...keeper, startsAgain: true as const } : keeper,
  );
  return { ...root, keepers };
}

function argumentsIn(all: ReadonlyMap<number, SeenProcess>): KeeperSight['argvOf'] {
  return ({ pid, startTime }) => {
    const seen = all.get(pid);
    return seen?.startTime === startTime ? seen.argv : undefined;
  };
}

function keyOf({ pid, startTime }: KeeperProcess): string {
  return `${pid} ${startTime}`;
}

const MOST_ARGVS = 1000;

/** For a parent of which nothing is known. */
const PARENT_WAIT_MS = 1500;
/** Of more copies nobody is asked who keeps them. */
const MOST_ROOTS = 32;
