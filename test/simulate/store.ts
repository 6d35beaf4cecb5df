import { isInAlarm, type ProcessRow } from '../../src/core/alarm.ts';
import { StoreError, type StoreFault } from '../../src/core/errors.ts';
import type { AlarmStore } from '../../src/stores/store.ts';
import type { Chance } from './chance.ts';
import type { WorldClock } from './clock.ts';
import type { Life } from './life.ts';

type Row = { -readonly [K in keyof ProcessRow]: ProcessRow[K] };

/** How the daemon was told of a row; `cleared`: it has cleared the row itself. */
export type HowHeard = 'poll' | 'read' | 'cleared';

/** What the daemon was told of a row, when that answer came. */
export type Heard = (life: Life, processId: string, row: ProcessRow | undefined, how: HowHeard) => void;

/** Everything that can be the matter with the store. */
export interface StoreTrouble {
  /** Every call fails so. */
  fault: StoreFault | undefined;
  /** Only writes fail so. */
  writeFault: StoreFault | undefined;
  /** Every answer takes so much longer. */
  slowMs: number;
  /** Polls are answered by a node that is so much behind. */
  lagMs: number;
}

export function noStoreTrouble(): StoreTrouble {
  return { fault: undefined, writeFault: undefined, slowMs: 0, lagMs: 0 };
}

/** For so long the daemon waits for an answer. */
const DEADLINE_MS = 10_000;

/** For so long a restart waits for a row that is read again. */
const READ_AGAIN_MS = 3000;

/** The database: others write to it too, it answers late, wrongly or not at all, and what it has not answered it may have done. */
export class SimulatedStore {
  readonly rows = new Map<string, Row>();
  trouble = noStoreTrouble();
  /** When a poll was last answered by a node that lags, and when a call last took long or failed. */
  laggedAtMs = Number.NEGATIVE_INFINITY;
  failedAtMs = Number.NEGATIVE_INFINITY;
  /** An alarm that a daemon had sent is written after its death: nobody can have known. */
  onLateAlarm: (processName: string | null) => void = () => {};
  /** Which of its nodes is asked. */
  node = 'db1';
  /** The last poll was answered by a node that lags. */
  #hasLagged = false;
  readonly #clock: WorldClock;
  readonly #chance: Chance;
  /** What each node that lags still shows: the rows as they were, oldest first. */
  #past: { readonly atMs: number; readonly rows: readonly Row[] }[] = [];

  constructor(clock: WorldClock, chance: Chance) {
    this.#clock = clock;
    this.#chance = chance;
  }

  /** Changes rows; whatever it does is seen at once, but by who lags. */
  change(act: () => void): void {
    this.#past.push({ atMs: this.#clock.nowMs, rows: [...this.rows.values()].map((row) => ({ ...row })) });
    if (this.#past.length > 50) this.#past.shift();
    act();
  }

  /** The store as one life of the daemon sees it. */
  open(life: Life, heard: Heard): AlarmStore {
    let isClosed = false;
    const call = <T>(isWrite: boolean, carryOut: () => T): Promise<T> =>
      life.ask(() => this.#answer(isWrite, carryOut, () => isClosed));
    const store = this;
    return {
      get description() {
        return `mysql ${store.node}:3306/simulated`;
      },
      readAlarms: async () => {
        const rows = await call(false, () => this.#alarms());
        const shown = new Set(rows.map(({ processId }) => processId));
        for (const row of rows) heard(life, row.processId, row, 'poll');
        for (const processId of this.rows.keys()) if (!shown.has(processId)) heard(life, processId, undefined, 'poll');
        return { rows, leftOut: 0, doubtful: [], remarks: [] };
      },
      readProcess: async (processId) => {
        const askedMs = this.#clock.nowMs;
        const row = await call(false, () => this.#row(processId));
        // A restart does not wait longer for it, and what comes later is not looked at.
        if (this.#clock.nowMs - askedMs <= READ_AGAIN_MS) heard(life, processId, row, 'read');
        return row;
      },
      findProcesses: (name) => call(false, () => [...this.rows.values()].filter((row) => row.processName === name).map(copyOf)),
      findHalf: async () => undefined,
      listNames: async () => [],
      clearAlarm: async (seen) => {
        const outcome = await call(true, () => this.#clear(seen));
        if (outcome === 'cleared') heard(life, seen.processId, undefined, 'cleared');
        return outcome;
      },
      raiseAlarm: (processId, notes) =>
        call(true, () => {
          const row = this.rows.get(processId);
          if (row === undefined) return 'missing';
          if (!life.isAlive) this.onLateAlarm(row.processName);
          this.change(() => Object.assign(row, { alarma: true, sound: false, ...(notes === undefined ? {} : { notes }) }));
          return 'raised';
        }),
      raiseNewAlarm: () => Promise.reject(new Error('no check raises anything here')),
      dropAlarm: async () => 'missing',
      inspect: () => Promise.reject(new Error('nobody inspects it')),
      close: async () => {
        isClosed = true;
      },
    };
  }

  async #answer<T>(isWrite: boolean, carryOut: () => T, isClosed: () => boolean): Promise<T> {
    const ms = this.#chance.time(3, 40) + this.trouble.slowMs;
    const { fault: anyFault, writeFault } = this.trouble;
    if (anyFault !== undefined || writeFault !== undefined || ms > 2500) this.failedAtMs = this.#clock.nowMs + ms;
    // When within that time it is done is anybody's guess.
    const firstMs = Math.round(Math.min(ms, DEADLINE_MS) * this.#chance.share());
    await this.#clock.sleep(firstMs);
    if (isClosed()) throw new StoreError('unreachable', 'the store is closed');
    const fault = this.trouble.fault ?? (isWrite ? this.trouble.writeFault : undefined);
    if (fault !== undefined) {
      // Of these nobody knows whether it was done.
      const isDone = isWrite && (fault === 'unreachable' || fault === 'timeout') && this.#chance.percent(50);
      if (isDone) carryOut();
      await this.#clock.sleep(fault === 'timeout' ? DEADLINE_MS - firstMs : 5);
      throw new StoreError(fault, `${this.node}: ${fault}`);
    }
    const answer = carryOut();
    await this.#clock.sleep(Math.min(ms, DEADLINE_MS) - firstMs);
    if (ms > DEADLINE_MS) throw new StoreError('timeout', `${this.node} has not answered within 10 s`);
    if (isClosed()) throw new StoreError('unreachable', 'the store is closed');
    return answer;
  }

  #alarms(): Row[] {
    const { lagMs } = this.trouble;
    // What it was told by a node that lags, it finds out with the next answer.
    if (lagMs > 0 || this.#hasLagged) this.laggedAtMs = this.#clock.nowMs;
    this.#hasLagged = lagMs > 0;
    const asOfMs = this.#clock.nowMs - lagMs;
    // The first that was changed after that moment shows how it was then.
    const rows = lagMs > 0 ? (this.#past.find(({ atMs }) => atMs > asOfMs)?.rows ?? this.rows.values()) : this.rows.values();
    return [...rows].filter(isInAlarm).map(copyOf);
  }

  #row(processId: string): Row | undefined {
    const row = this.rows.get(processId);
    return row && copyOf(row);
  }

  #clear(seen: ProcessRow): 'cleared' | 'changed' {
    const row = this.rows.get(seen.processId);
    if (row === undefined || !isInAlarm(row) || row.notes !== seen.notes) return 'changed';
    this.change(() =>
      Object.assign(row, {
        alarma: false,
        notes: `${(row.notes ?? '').replace(/ - Restarted.*/, '')} - Restarted at ${this.#clock.nowMs}`,
      }),
    );
    return 'cleared';
  }
}

function copyOf(row: Row): Row {
  return { ...row };
}
