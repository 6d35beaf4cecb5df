// The daemon's side of the worker.
import type { Clock } from '../../core/clock.ts';
import { configuredSeconds, formatDuration } from '../../core/text/duration.ts';
import type { Answer, Away } from './answer.ts';
import { WorkerLife } from './life.ts';
import type { StartWorker } from './process.ts';
import type { Work } from './work.ts';

/** What the types of checks know of the worker. */
export interface AsksWorker {
  /**
   * Has one piece of work done. Ends at the latest 2 s after `timeoutMs`, if the worker runs; if it has to be started first, at most as long
   * again; or when `signal` aborts. Never rejects.
   */
  ask(work: Work, timeoutMs: number, signal: AbortSignal): Promise<Answer | Away>;
}

interface WorkerOptions {
  readonly start: StartWorker;
  readonly clock: Clock;
  /** Called when it has died three times within a minute, and not again before it has lived for a minute. */
  readonly onTrouble: (reason: string) => void;
  /** Called after `onTrouble`, when it has lived for a minute and still answers. */
  readonly onRecovered?: () => void;
}

/**
 * The process that looks at the network for us, without root: what strangers send is parsed in there. It is started with the first piece
 * of work. When it dies or hangs, what it was doing is `away`, and the next piece of work starts another one, after a pause that grows.
 */
export class Worker implements AsksWorker {
  readonly #options: WorkerOptions;
  #life: WorkerLife | undefined;
  #isStopped = false;
  #lastEnd = '';
  #pauseMs = FIRST_PAUSE_MS;
  #notBeforeMs = Number.NEGATIVE_INFINITY;
  #deaths: number[] = [];
  #isInTrouble = false;

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  async ask(work: Work, timeoutMs: number, signal: AbortSignal): Promise<Answer | Away> {
    if (signal.aborted) return away('aborted');
    if (this.#isStopped) return away('the worker was stopped');
    const pausedMs = this.#notBeforeMs - this.#options.clock.monotonicMs();
    if (this.#life === undefined && pausedMs > 0) {
      return away(`the worker has failed (${this.#lastEnd}); it is started again in ${formatDuration(pausedMs)}`);
    }
    this.#life ??= this.#begin();
    return await this.#life.ask(work, timeoutMs, signal);
  }

  /** Ends the worker at once; everything that waits for it is `away`. Idempotent. */
  stop(): void {
    this.#isStopped = true;
    this.#life?.end('the worker was stopped');
  }

  #begin(): WorkerLife {
    const { start, clock } = this.#options;
    const beganMs = clock.monotonicMs();
    const life = new WorkerLife(start, {
      onAnswer: () => {
        if (this.#isInTrouble && clock.monotonicMs() - beganMs >= LONG_LIFE_MS) this.#recover();
      },
      onEnd: (reason) => {
        if (this.#life === life) this.#life = undefined;
        if (!this.#isStopped) this.#died(reason, beganMs);
      },
    });
    return life;
  }

  #died(reason: string, beganMs: number): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - beganMs >= LONG_LIFE_MS) {
      this.#pauseMs = FIRST_PAUSE_MS;
      if (this.#isInTrouble) this.#recover();
    }
    this.#lastEnd = reason;
    this.#notBeforeMs = nowMs + this.#pauseMs;
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
    this.#deaths = [...this.#deaths, nowMs].filter((atMs) => nowMs - atMs < TROUBLE_MS).slice(-TROUBLE_DEATHS);
    if (this.#isInTrouble || this.#deaths.length < TROUBLE_DEATHS) return;
    this.#isInTrouble = true;
    this.#options.onTrouble(
      `the worker for checks of the network has failed ${TROUBLE_DEATHS} times within ${configuredSeconds(TROUBLE_MS)}, last: ${reason}`,
    );
  }

  #recover(): void {
    this.#isInTrouble = false;
    this.#deaths = [];
    this.#options.onRecovered?.();
  }
}

function away(reason: string): Away {
  return { kind: 'away', reason };
}

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;
const TROUBLE_DEATHS = 3;
const TROUBLE_MS = 60_000;
const LONG_LIFE_MS = 60_000;
