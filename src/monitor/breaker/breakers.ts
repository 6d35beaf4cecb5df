// The circuit breakers of all targets.
import type { ManagedProcess } from '../../core/alarm.ts';
import type { BreakerSnapshot } from '../../core/breaker-snapshot.ts';
import type { Clock } from '../../core/clock.ts';
import type { EventBus } from '../../core/events.ts';
import type { Logger } from '../../core/logger.ts';
import { counted } from '../../core/text/counted.ts';
import { configuredSeconds } from '../../core/text/duration.ts';
import { nameWords } from '../../core/text/printable.ts';
import type { BreakerRecords } from '../../state/daemon-state.ts';
import type { CurrentConfig } from '../current-config.ts';
import { admit, closedBreaker, isAtRest, recordExit, recordFailure, recordInterruption, recordSuccess } from './transitions.ts';

/** The skip reason of an alarm whose breaker is open. */
export const breakerOpen = 'circuit breaker open';

interface Entry {
  readonly snapshot: BreakerSnapshot;
  readonly processName: string;
}

/** What the breakers need. */
interface BreakersParts {
  readonly records: BreakerRecords;
  readonly config: CurrentConfig;
  readonly clock: Clock;
  readonly events: EventBus;
  readonly log: Logger;
}

/** The circuit breakers, one for each target. This class decides, saves and reports their changes. */
export class Breakers {
  readonly #parts: BreakersParts;
  readonly #entries = new Map<string, Entry>();
  /** Targets whose open breaker has skipped an alarm, which is reported once. */
  readonly #warned = new Set<string>();

  constructor(parts: BreakersParts) {
    this.#parts = parts;
  }

  /** Loads what an earlier life of the daemon saved. */
  load(): void {
    for (const [target, entry] of this.#parts.records.load()) this.#entries.set(target, entry);
  }

  /** Decides whether a recovery of `target` may start now. A refusal is reported once while the breaker is open, then at debug. */
  admit(target: string, process: ManagedProcess): { kind: 'admitted' } | { kind: 'refused'; remainingMs: number } {
    const admission = admit(this.snapshot(target), this.#parts.clock.monotonicMs());
    if (admission.kind === 'refused') {
      this.#reportSkip(target, process, admission.remainingMs);
      return { kind: 'refused', remainingMs: admission.remainingMs };
    }
    this.#put(target, process.processName, admission.next);
    if (admission.halfOpened) this.#reportHalfOpened(target, process.processName);
    return { kind: 'admitted' };
  }

  /** True if `admit` would refuse it now. Changes nothing. */
  isRefusing(target: string): boolean {
    return admit(this.snapshot(target), this.#parts.clock.monotonicMs()).kind === 'refused';
  }

  /** Admits an operator's order. An open breaker becomes half open for it. */
  admitOrder(target: string, process: ManagedProcess): void {
    const before = this.snapshot(target);
    if (before.state !== 'open') return;
    this.#put(target, process.processName, { ...before, state: 'half_open' });
    this.#reportHalfOpened(target, process.processName);
  }

  /** Counts a recovery that succeeded. */
  succeeded(target: string, process: ManagedProcess): void {
    const before = this.snapshot(target);
    const rules = this.#parts.config.current().monitor;
    const next = recordSuccess(before, this.#parts.clock.monotonicMs(), rules);
    this.#put(target, process.processName, next);
    if (before.state === 'open') return;
    if (next.state === 'open') {
      this.#reportOpened(
        target,
        process.processName,
        `recovered ${counted(rules.flapRecoveries, 'time', 'times')} within ${configuredSeconds(rules.flapWindowMs)}: it keeps dying`,
      );
    } else if (before.state !== 'closed') this.#reportClosed(target, process.processName);
  }

  /** Counts a recovery that failed. */
  failed(target: string, process: ManagedProcess): void {
    const before = this.snapshot(target);
    const next = recordFailure(before, this.#parts.clock.monotonicMs(), this.#parts.config.current().monitor);
    this.#put(target, process.processName, next);
    if (next.state === 'open' && before.state !== 'open')
      this.#reportOpened(
        target,
        process.processName,
        next.failures === 1 ? 'a failed recovery' : `${next.failures} failed recoveries`,
      );
  }

  /** Counts an unexpected exit of a watched process. */
  exited(target: string, processName: string): void {
    const before = this.snapshot(target);
    const rules = this.#parts.config.current().monitor;
    const next = recordExit(before, this.#parts.clock.monotonicMs(), rules);
    this.#put(target, processName, next);
    if (next.state !== 'open' || before.state === 'open') return;
    const times = counted(rules.maxExits, 'time', 'times');
    this.#reportOpened(target, processName, `exited ${times} within ${configuredSeconds(rules.exitWindowMs)}: it keeps dying`);
  }

  /** Notes that a recovery ended without an outcome that counts. */
  interrupted(target: string, process: ManagedProcess): void {
    this.#put(target, process.processName, recordInterruption(this.snapshot(target)));
  }

  /** Closes the breaker of `target`, or all of them. Returns the process names of those that were not at rest. `by`: who ordered it. */
  reset(target?: string, by: string | null = null): string[] {
    const reset: string[] = [];
    for (const [key, { snapshot, processName }] of [...this.#entries]) {
      if (target !== undefined && key !== target) continue;
      this.#entries.delete(key);
      this.#parts.records.delete(key);
      if (isAtRest(snapshot)) continue;
      reset.push(processName);
      if (snapshot.state !== 'closed') this.#reportClosed(key, processName, by);
      else if (by !== null) this.#reportReset(key, processName, snapshot.failures, by);
    }
    return reset;
  }

  /** The breaker of `target` as it is now; a closed one if nothing is known about it. */
  snapshot(target: string): BreakerSnapshot {
    return this.#entries.get(target)?.snapshot ?? closedBreaker;
  }

  /** All known breakers by target. */
  list(): ReadonlyMap<string, Entry> {
    return this.#entries;
  }

  #put(target: string, processName: string, snapshot: BreakerSnapshot): void {
    const before = this.#entries.get(target)?.snapshot;
    if (before === snapshot || (before === undefined && snapshot === closedBreaker)) return;
    this.#entries.set(target, { snapshot, processName });
    this.#parts.records.save(target, processName, snapshot);
  }

  #reportOpened(target: string, processName: string, reason: string): void {
    this.#warned.delete(target);
    const cooldownMs = this.#parts.config.current().monitor.circuitResetTimeMs;
    this.#parts.log.warning(
      `Circuit breaker opened for ${processName}: ${reason}; no restarts for ${configuredSeconds(cooldownMs)}`,
      {
        process_name: processName,
        target,
      },
    );
    this.#parts.events.emit({ type: 'breaker_opened', target, processName, reason, cooldownMs });
  }

  #reportHalfOpened(target: string, processName: string): void {
    this.#parts.log.info(`Circuit breaker half-open for ${processName}: one recovery is tried`, {
      process_name: processName,
      target,
    });
    this.#parts.events.emit({ type: 'breaker_half_opened', target, processName });
  }

  #reportClosed(target: string, processName: string, by: string | null = null): void {
    const words = `Circuit breaker closed for ${nameWords(processName)}${by === null ? '' : ` by ${by}`}`;
    this.#parts.log.info(words, { process_name: processName, target });
    this.#parts.events.emit({ type: 'breaker_closed', target, processName, by });
  }

  /** For a closed breaker with failures. */
  #reportReset(target: string, processName: string, failures: number, by: string): void {
    const forgotten = `${counted(failures, 'failed recovery is', 'failed recoveries are')} forgotten`;
    const words = `Circuit breaker reset for ${nameWords(processName)} by ${by}: ${forgotten}`;
    this.#parts.log.info(words, { process_name: processName, target });
    this.#parts.events.emit({
      type: 'order_given',
      order: 'breaker_reset',
      name: processName,
      by,
      detail: forgotten,
      outcome: 'done',
    });
  }

  #reportSkip(target: string, process: ManagedProcess, remainingMs: number): void {
    const message = `Circuit breaker open for ${process.processName}: skipped, next try in ${Math.ceil(remainingMs / 1000)} s`;
    const fields = { process_name: process.processName, process_id: process.processId, target };
    if (this.#warned.has(target)) this.#parts.log.debug(message, fields);
    else this.#parts.log.warning(message, fields);
    this.#warned.add(target);
  }
}
