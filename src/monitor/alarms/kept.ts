// Kept alarms, which the store did not take.
import { type KeptAlarm, keptAlarm, keptKey, type StoredAlarm } from '../../core/alarm.ts';
import { type Clock, soon } from '../../core/clock.ts';
import { errorMessage, StoreError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { configuredSeconds } from '../../core/text/duration.ts';
import type { KeptAlarmRecord, KeptAlarmRecords } from '../../state/daemon-state.ts';
import type { CurrentConfig } from '../current-config.ts';
import type { StoreWatch } from '../poll/store-watch.ts';

/** What keeping alarms needs. */
interface KeptAlarmsParts {
  readonly records: KeptAlarmRecords;
  readonly config: CurrentConfig;
  /** While it is not known who is in alarm, the store is not even asked. */
  readonly watch: StoreWatch;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Where a raised alarm is stored. Nowhere: `acknowledged`, because an operator wants the process left alone; `standing`, because only a
 * new alarm was to be raised, and there is one.
 */
type Raised = 'stored' | 'kept' | 'acknowledged' | 'standing';

type Offer = Raised | { readonly kind: 'refused'; readonly reason: string; readonly away: boolean };

/** A recovery waits at most this long for the answer of the store. */
const OFFER_LIMIT_MS = 1000;
/** A store that has refused an alarm is asked again after this time. */
const REFUSED_FOR_MS = 30_000;

/**
 * Alarms that the daemon raises: each is saved, then offered to the store. What the store does not take is stored locally and handled
 * from here. At most one of a name.
 */
export class KeptAlarms {
  readonly #parts: KeptAlarmsParts;
  /** Names whose alarm is being offered to the store: it is not handled meanwhile. */
  readonly #offering = new Map<string, Promise<Offer>>();
  readonly #refusedAtMs = new Map<string, number>();

  constructor(parts: KeptAlarmsParts) {
    this.#parts = parts;
  }

  /** The kept alarms, except those that are being offered to the store. */
  alarms(): KeptAlarm[] {
    return this.#parts.records.list().flatMap(({ processName }) => this.alarm(processName) ?? []);
  }

  /** The kept alarm of that name. */
  alarm(processName: string): KeptAlarm | undefined {
    const record = this.#offering.has(processName) ? undefined : this.#parts.records.get(processName);
    return record && keptAlarm(processName, record.notes);
  }

  /**
   * Takes an alarm. It survives the daemon's death from here on, whether or not the store takes it. `onlyNew`: not if an alarm of the
   * process stands. Never rejects.
   */
  async raise(processName: string, notes: string, onlyNew = false): Promise<Raised> {
    if (onlyNew && this.#parts.records.get(processName) !== undefined) return 'standing';
    const raisedAt = this.#parts.clock.date();
    const alarm: KeptAlarmRecord = { processName, notes, raisedAt, doubtfulRows: [], ...(onlyNew && { onlyNew }) };
    this.#parts.records.set(alarm);
    const offer = await this.#offer(alarm);
    if (typeof offer === 'string') return offer;
    this.#parts.log.warning(`Alarm of ${processName} is stored locally: ${offer.reason}`, { process_name: processName });
    return 'kept';
  }

  /** Offers kept alarms to the store again, except those that are `busy`. Returns true if it took some. Never rejects. */
  async offerAgain(busy: (key: string) => boolean): Promise<boolean> {
    const now = this.#parts.clock.monotonicMs();
    const due = this.#parts.records.list().filter(({ processName }) => {
      const refusedAtMs = this.#refusedAtMs.get(processName);
      if (this.#offering.has(processName) || busy(keptKey(processName))) return false;
      return refusedAtMs === undefined || now - refusedAtMs >= REFUSED_FOR_MS;
    });
    const offers = await Promise.all(due.map((alarm) => this.#offer(alarm).then((offer) => ({ alarm, offer }))));
    for (const { alarm, offer } of offers) {
      if (offer !== 'stored') continue;
      this.#parts.log.info(`Alarm of ${alarm.processName} is in the store now`, { process_name: alarm.processName });
    }
    return offers.some(({ offer }) => offer === 'stored');
  }

  /** Ends the kept alarm and returns its record; undefined if there is none, or another one has taken its place. */
  end({ processName, notes }: KeptAlarm): KeptAlarmRecord | undefined {
    const record = this.#parts.records.get(processName);
    if (record?.notes !== notes) return undefined;
    this.#parts.records.delete(processName);
    return record;
  }

  /**
   * Ends the kept alarm that this row's alarm is: the UPDATE that had no answer was carried out. Returns its record; undefined if there
   * is none.
   */
  endArrived({
    processId,
    processName,
    notes,
  }: Pick<StoredAlarm, 'processId' | 'processName' | 'notes'>): KeptAlarmRecord | undefined {
    const record = processName === null ? undefined : this.#parts.records.get(processName);
    // The same notes alone may be those of a later exit.
    if (record?.notes !== notes || !record.doubtfulRows.includes(processId)) return undefined;
    this.#parts.records.delete(record.processName);
    return { ...record, doubtfulRows: record.doubtfulRows.filter((id) => id !== processId) };
  }

  /** Ends the kept alarm of that name by an operator's order; false if there is none. */
  drop(processName: string): boolean {
    if (this.#parts.records.get(processName) === undefined) return false;
    this.#parts.records.delete(processName);
    return true;
  }

  /** Ends the alarms of names that are no longer configured: nothing shows them and no row can be cleared. */
  keepOnly(configured: readonly string[]): void {
    for (const { processName } of this.#parts.records.list()) {
      if (configured.includes(processName) || !this.drop(processName)) continue;
      this.#parts.log.info(`Alarm of ${processName} is dropped: the process is no longer configured`, {
        process_name: processName,
      });
    }
  }

  /** Offers of the same name follow each other. */
  async #offer(alarm: KeptAlarmRecord): Promise<Offer> {
    const { processName } = alarm;
    const before = this.#offering.get(processName) ?? Promise.resolve();
    const offering = before.then(() => this.#ask(alarm));
    this.#offering.set(processName, offering);
    const offer = await offering;
    if (this.#offering.get(processName) === offering) this.#offering.delete(processName);
    const said = typeof offer === 'string' || offer.away ? undefined : this.#parts.clock.monotonicMs();
    if (said === undefined) this.#refusedAtMs.delete(processName);
    else this.#refusedAtMs.set(processName, said);
    // A later alarm of the same name has an offer of its own.
    if (typeof offer === 'string' && this.#parts.records.get(processName)?.notes === alarm.notes)
      this.#parts.records.delete(processName);
    return offer;
  }

  async #ask(alarm: KeptAlarmRecord): Promise<Offer> {
    const { processName, notes, onlyNew } = alarm;
    const { config, watch, records, log } = this.#parts;
    if (watch.availability.state === 'unknown') return refused('the alarm store does not answer', true);
    const doubtfulRows: string[] = [];
    let raised = 0;
    try {
      const rows = await this.#soon(config.current().store.findProcesses(processName));
      if (rows.length === 0) return refused('the store has no row of that name');
      const open = rows.filter(({ sound }) => !sound);
      if (open.length === 0) {
        // A detector that joins alarms asks again and again, and reports it itself.
        if (!onlyNew)
          log.info(`Alarm of ${processName} is not raised: it is acknowledged in the store (sound = 1)`, {
            process_name: processName,
          });
        return 'acknowledged';
      }
      if (onlyNew && open.some((row) => row.alarma)) return 'standing';
      // Written before the daemon died, or by a call that timed out.
      if (open.some((row) => row.alarma && row.notes === notes)) return 'stored';
      // An alarm that we may not clear is not raised there either.
      if (!config.current().monitor.clearAlarm) return refused('clear_alarm = false');
      for (const { processId } of open) {
        doubtfulRows.push(processId);
        const { store } = config.current();
        const raising = onlyNew ? store.raiseNewAlarm(processId, notes) : store.raiseAlarm(processId, notes);
        const answer = await this.#soon<'raised' | 'standing' | 'missing' | 'ambiguous'>(raising);
        if (answer === 'standing') return raised > 0 ? 'stored' : 'standing';
        if (answer === 'raised') raised++;
        doubtfulRows.pop();
      }
      return raised > 0 ? 'stored' : refused('the store has no row of that name');
    } catch (error) {
      if (raised > 0) return 'stored';
      const away = error instanceof StoreError && error.fault !== 'denied' && error.fault !== 'schema';
      if (away && doubtfulRows.length > 0 && records.get(processName)?.notes === notes) records.set({ ...alarm, doubtfulRows });
      return refused(errorMessage(error), away);
    }
  }

  async #soon<T>(call: Promise<T>): Promise<T> {
    const { clock, config } = this.#parts;
    const result = await soon(clock, OFFER_LIMIT_MS, call);
    if (result !== 'late') return result;
    throw new StoreError(
      'timeout',
      `${config.current().store.description} has not answered within ${configuredSeconds(OFFER_LIMIT_MS)}`,
    );
  }
}

function refused(reason: string, away = false): Offer {
  return { kind: 'refused', reason, away };
}
