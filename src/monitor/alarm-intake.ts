import { type Alarm, hasName } from '../core/alarm.ts';
import type { MonitorSettings } from '../core/config.ts';
import { nearName } from '../core/near-name.ts';
import { quoted } from '../core/printable.ts';
import type { HandledAlarm } from '../state/daemon-state.ts';
import { isHandled } from './alarm-clearing.ts';
import type { EarlierRecovery } from './look-again.ts';
import { processFields } from './recovery-job.ts';
import { processOf } from './recovery-plan.ts';
import type { FoundAlarm, RecoveryQueue, RecoveryQueueParts } from './recovery-queue.ts';

/** What the intake needs. */
export interface AlarmIntakeParts extends RecoveryQueueParts {
  readonly queue: RecoveryQueue;
  /** Read at each poll, so that a reload takes effect. */
  readonly settings: () => MonitorSettings;
  /** Names that have a section; theirs are the alarms that are taken first, if there are too many. */
  readonly sections: () => readonly string[];
}

/** Looks at the alarms of a poll: which of them are for us to heal, which are new, what is said of them and how often. */
export class AlarmIntake {
  readonly #parts: AlarmIntakeParts;
  readonly #firstSeen = new Map<string, { readonly alarm: Alarm; readonly atMs: number; readonly at: Date }>();
  /** Those that are not for us, and that we have said so of. */
  readonly #toldOnce = new Map<string, { readonly alarm: Alarm; readonly at: Date }>();
  /** What is odd about the store, of that we have said so. */
  #toldOdd: ReadonlySet<string> = new Set();

  constructor(parts: AlarmIntakeParts) {
    this.#parts = parts;
  }

  /** Those that are to be handled. `spokenFor`: which alarms would be among `alarms`, if they still stood; all unless said. */
  judge(alarms: readonly Alarm[], spokenFor: (alarm: Alarm) => boolean = () => true): FoundAlarm[] {
    this.#forgetEnded(alarms, spokenFor);
    return alarms.flatMap((alarm) => this.#judgeOne(alarm));
  }

  /** Tells what is odd about the store (AlarmsRead.remarks), each once as long as it is. */
  tellOdd(remarks: readonly string[]): void {
    for (const remark of remarks) if (!this.#toldOdd.has(remark)) this.#parts.log.warning(`Alarm store: ${remark}`);
    this.#toldOdd = new Set(remarks);
  }

  /** Since when the alarm is seen to stand; undefined: nobody has seen it. */
  since(key: string): Date | undefined {
    return (this.#firstSeen.get(key) ?? this.#toldOnce.get(key))?.at;
  }

  /** The alarm, where it comes again, is another one. */
  forget(key: string): void {
    this.#firstSeen.delete(key);
    this.#toldOnce.delete(key);
  }

  /**
   * Those that are for us to heal, with what became of each before: they have a name, a section if they need one, and are not
   * left to others.
   */
  ours(alarms: readonly Alarm[]): (EarlierRecovery & { readonly alarm: Alarm })[] {
    const ours = alarms.filter(
      (alarm) => hasName(alarm) && !this.#isLeftAlone(alarm.processName) && !this.#isLeftToOthers(alarm),
    );
    return ours.map((alarm) => ({ alarm, ...this.#earlier(alarm) }));
  }

  #earlier(alarm: Alarm): EarlierRecovery {
    return { handled: isHandled(this.#handled(alarm), alarm), unproved: this.#parts.unproved.of(alarm) };
  }

  #isLeftAlone(processName: string): boolean {
    return this.#parts.settings().onlyConfigured && !this.#parts.plans()(processName).configured;
  }

  #isLeftToOthers(alarm: Alarm): boolean {
    return this.#handled(alarm) !== undefined && this.#parts.clearing.leftToOthers;
  }

  #handled(alarm: Alarm): HandledAlarm | undefined {
    return alarm.source === 'store' ? this.#parts.state.handled.get(alarm.processId) : undefined;
  }

  #judgeOne(alarm: Alarm): FoundAlarm[] {
    const { key } = alarm;
    const { clearing } = this.#parts;
    if (!hasName(alarm)) {
      this.#tellOnce(alarm, 'warning', `Found process in alarm without a name (${placeOf(alarm)}): it cannot be restarted`);
      return [];
    }
    const { processName } = alarm;
    if (this.#isLeftAlone(processName)) {
      this.#tellOnce(
        alarm,
        'info',
        `Found process in alarm: ${processName} (${placeOf(alarm)}); left alone: it has no section of its own (only_configured)${this.#nearSection(processName)}`,
      );
      return [];
    }
    if (this.#isLeftToOthers(alarm)) return [];
    if (clearing.isRaisedAnew(key)) this.#firstSeen.delete(key);
    const foundAtMs = this.#firstSeen.get(key)?.atMs ?? this.#tellFound(alarm, processName);
    return [{ alarm, processName, foundAtMs, ...this.#earlier(alarm) }];
  }

  #tellFound(alarm: Alarm, processName: string): number {
    const { log, events, clock, plans } = this.#parts;
    const atMs = clock.monotonicMs();
    this.#firstSeen.set(alarm.key, { alarm, atMs, at: clock.date() });
    const process = processOf(alarm, processName, plans()(processName));
    const notes = alarm.notes === null || alarm.notes === '' ? '' : ` - ${alarm.notes}`;
    const near = this.#nearSection(processName);
    if (near !== '') log.warning(`${quoted(processName)} has no section of its own${near}`, processFields(process));
    log.info(`Found process in alarm: ${processName} (${placeOf(alarm)})${notes}`, processFields(process));
    events.emit({ type: 'alarm_found', process, notes: alarm.notes });
    return atMs;
  }

  /** Whose name it may have been meant to be, for the end of a line. */
  #nearSection(processName: string): string {
    const section = nearName(processName, this.#parts.sections());
    return section === undefined
      ? ''
      : `; [process.${section}] differs from its name by blanks, letter case or how accents are written`;
  }

  #tellOnce(alarm: Alarm, level: 'info' | 'warning', message: string): void {
    if (this.#toldOnce.has(alarm.key)) return;
    this.#toldOnce.set(alarm.key, { alarm, at: this.#parts.clock.date() });
    const process_id = alarm.source === 'store' ? alarm.processId : null;
    this.#parts.log[level](message, { process_name: alarm.processName, process_id });
  }

  #forgetEnded(alarms: readonly Alarm[], spokenFor: (alarm: Alarm) => boolean): void {
    const standing = new Set(alarms.map(({ key }) => key));
    const known = [...this.#toldOnce.values(), ...this.#firstSeen.values()].map(({ alarm }) => alarm);
    for (const alarm of known) if (spokenFor(alarm) && !standing.has(alarm.key)) this.forget(alarm.key);
  }
}

function placeOf(alarm: Alarm): string {
  return alarm.source === 'kept' ? 'kept by the daemon' : `ID: ${alarm.processId}`;
}
