// One death of a watched process: judges it, and reports what it means.
import { describeWaitStatus, isCleanEnd } from '../../../core/process/wait-status.ts';
import type { UnitStatus } from '../../../system/systemd/service-manager.ts';
import type { UnitTransit } from '../../../system/systemd/unit/transit.ts';
import type { WatchParts } from '../watch/parts.ts';
import type { WatchedUnit } from '../watch/unit.ts';
import { type DeathInquiry, type Judgement, judgeDeath } from './judgement.ts';
import { judgeStop } from './stop.ts';
import { describeDeath, type ProcessDeath } from './verdict.ts';

/** What a DeathCase needs. */
interface DeathCaseParts extends Pick<DeathInquiry, 'isRecovering' | 'find' | 'signal'> {
  readonly parts: WatchParts;
  readonly watched: WatchedUnit;
  /** The unit that a program ran in; undefined if there is none, or if the unit itself is watched. */
  readonly unit: string | undefined;
}

/** One death of a watched process, from its detection to what it means. Nothing here rejects. */
export class DeathCase {
  readonly #name: string;
  readonly #death: ProcessDeath;
  readonly #with: DeathCaseParts;
  #restart: UnitTransit | undefined;
  #isReported = false;

  constructor(name: string, death: ProcessDeath, parts: DeathCaseParts) {
    this.#name = name;
    this.#death = death;
    this.#with = parts;
  }

  /** What systemd was doing when it was about to start the process again; undefined before. */
  get restart(): UnitTransit | undefined {
    return this.#restart;
  }

  /** Judges what it means. Each end after which systemd restarts the unit in the meantime is reported at once. */
  judge(): Promise<Judgement> {
    const { parts, watched, unit, isRecovering, find, signal } = this.#with;
    const { table, clock } = parts;
    return judgeDeath(this.#death, {
      table,
      clock,
      isRecovering,
      pause: (ms) => watched.pause(ms),
      find,
      showUnit: async () => (unit === undefined ? undefined : watched.show(unit)),
      judgeStop: (stopped) => judgeStop(stopped, this.#death, { ...parts, signal }),
      onRestart: (status) => this.#restarts(status),
      signal,
    });
  }

  /** Reports it, as it was judged. */
  report(judgement: Judgement): void {
    const { parts } = this.#with;
    const death = this.#death;
    switch (judgement.kind) {
      case 'aborted':
        return;
      case 'lives': {
        if (!judgement.isRestarted || this.#isReported) return;
        const { supervisor } = judgement.running;
        const why = `it was started again${supervisor === undefined ? '' : ` by ${supervisor.description}`}`;
        reportDeath(this.#name, death, { kind: 'expected', why, unasked: this.#hasFailed() }, parts);
        return;
      }
      case 'alarm':
        reportDeath(this.#name, death, { kind: 'alarm', why: judgement.why, repeated: this.#isReported }, parts);
        return;
      case 'expected': {
        const how = judgement.inRecovery ? { ...death, inRecovery: true as const } : death;
        reportDeath(this.#name, how, { kind: 'expected', why: judgement.why }, parts);
        return;
      }
      default:
        judgement satisfies never;
    }
  }

  #restarts({ id, result }: UnitStatus): void {
    const { parts, watched } = this.#with;
    const { transit } = watched;
    this.#restart = transit?.kind === 'ended' ? transit : { kind: 'ended', unit: id, result, dueMs: undefined };
    if (result === 'success') return;
    const again = { pid: 0, status: undefined, uptimeMs: 0, at: parts.clock.date(), unseen: 'again' } as const;
    const meaning = { kind: 'expected', why: `systemd starts ${id} again`, unasked: true } as const;
    reportDeath(this.#name, this.#isReported ? again : this.#death, meaning, parts);
    this.#isReported = true;
  }

  /** True if it was started again before systemd was seen waiting to do so, and yet nobody has stopped it. */
  #hasFailed(): boolean {
    const { parts, watched } = this.#with;
    const { at, uptimeMs, status } = this.#death;
    if (status === undefined || isCleanEnd(status)) return false;
    const agoMs = parts.clock.date().getTime() - at.getTime() + uptimeMs;
    return watched.wentByItself(parts.clock.monotonicMs() - agoMs);
  }
}

/** What a death was judged to mean. */
type DeathMeaning =
  /** `repeated`: it was reported as not ordered before; systemd has given it up since. */
  | { readonly kind: 'alarm'; readonly why: string | undefined; readonly repeated: boolean }
  /** `why` it is not an alarm. `unasked`: nobody had ordered it, though it was started again. */
  | { readonly kind: 'expected'; readonly why: string; readonly unasked?: boolean };

/** Reports the death of a watched process to the log and the observers, once it is known what it means. */
function reportDeath(
  name: string,
  death: ProcessDeath,
  meaning: DeathMeaning,
  { log, events, lives }: Pick<WatchParts, 'log' | 'events' | 'lives'>,
): void {
  const { pid, uptimeMs, at, status, unseen, inRecovery } = death;
  const expected = meaning.kind === 'expected';
  const words = expected ? `${describeDeath(death)}; no alarm: ${meaning.why}` : describeDeath(death, meaning.why);
  log[expected ? 'info' : 'warning'](`Process exited: ${name}: ${words}`, { process_name: name, process_pid: pid });
  const cause = describeWaitStatus(unseen === undefined ? status : undefined);
  const ours = inRecovery && { ours: true as const };
  const how = expected
    ? meaning.unasked === true && { unasked: true as const }
    : meaning.repeated && { repeated: true as const };
  const what = { type: 'process_exited', processName: name, pid, cause, uptimeMs, endedAt: at, expected } as const;
  const event = { ...what, ...ours, ...how };
  lives.exited(event);
  events.emit(event);
}
