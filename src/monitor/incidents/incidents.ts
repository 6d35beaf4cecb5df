// Incidents: what belongs to one trouble, from its first sign to its end.
import type { EmittedEvent, EventOf, IncidentBook, IncidentEnd, IncidentSign, MonitorEvent } from '../../core/events.ts';
import type { IncidentRecord, IncidentRecords } from '../../state/daemon-state.ts';

/** An incident that is not over. */
interface Open extends Pick<IncidentRecord, 'id' | 'name' | 'by' | 'openedAt'> {
  /** What keeps it open: `alarm KEY`, `raised NAME`, `exit NAME`, `recovery NAME`, `check NAME`. */
  readonly signs: Set<string>;
  /** The names whose events belong to it. */
  readonly names: Set<string>;
}

/**
 * The incidents of processes and checks. One begins with the first sign of a trouble (an alarm, an exit that nobody has ordered, a
 * failing check), and ends once no sign is left. Recoveries that are shared, and alarms that wait for another process, belong to the
 * incident of their leader. It follows the events and decides nothing about a recovery.
 */
export class Incidents implements IncidentBook {
  readonly #records: IncidentRecords;
  readonly #open = new Map<number, Open>();
  /** The incident that the events of a name belong to. */
  readonly #ofName = new Map<string, Open>();
  /** Polls taken since an alarm was raised that none of them has shown yet, by its sign: it may be on its way to the store. */
  readonly #unseen = new Map<string, number>();
  #nextId = 0;

  constructor(records: IncidentRecords) {
    this.#records = records;
  }

  take(event: MonitorEvent, at: Date): readonly EmittedEvent[] {
    const name = event.type === 'check_changed' ? this.#ownerOf(event) : nameOf(event);
    // Told again at each poll while the alarm waits.
    if (event.type === 'incident_joined' && this.#belongTogether(event.processName, event.leaderName, at)) return [];
    const before = this.#begin(event, at);
    // An end belongs to the incident that it ends.
    const incident = name === undefined ? undefined : this.#ofName.get(name);
    const emitted = { ...event, at, incident: incident?.id ?? null };
    return [...before, emitted, ...this.#finish(event, at)];
  }

  /** Notes a sign of trouble; returns the opening of an incident. */
  #begin(event: MonitorEvent, at: Date): readonly EmittedEvent[] {
    switch (event.type) {
      case 'alarm_found': {
        const { processName } = event.process;
        this.#load(at);
        const opened = this.#sign(processName, `alarm ${event.key}`, 'outside', at);
        this.#drop(processName, `raised ${processName}`);
        return opened;
      }
      case 'alarm_raised':
        // An alarm that stands has its own sign.
        if (event.where === 'acknowledged' || event.where === 'standing') return [];
        this.#unseen.set(`raised ${event.processName}`, 0);
        return this.#sign(event.processName, `raised ${event.processName}`, event.by, at);
      case 'recovery_started':
        // Whatever becomes of the alarm meanwhile, what it does belongs to the incident.
        this.#ofName.get(event.process.processName)?.signs.add(`recovery ${event.process.processName}`);
        return [];
      case 'process_exited':
        // The end of a process in its own recovery is part of that.
        if ((event.expected && !event.unasked) || event.ours) return [];
        return this.#sign(event.processName, `exit ${event.processName}`, 'exit', at);
      case 'check_changed':
        if (event.to !== 'failing') return [];
        return this.#sign(this.#ownerOf(event), `check ${event.name}`, `check ${event.name}`, at);
      default:
        return [];
    }
  }

  /** Takes away signs that are over; returns the ends of incidents that have none left. */
  #finish(event: MonitorEvent, at: Date): readonly EmittedEvent[] {
    switch (event.type) {
      case 'alarm_cleared':
        return this.#end(event.process.processName, `alarm ${event.key}`, 'cleared', at);
      case 'recovery_succeeded':
      case 'recovery_failed':
      case 'recovery_unproved':
      case 'recovery_skipped':
        return this.#end(event.process.processName, `recovery ${event.process.processName}`, 'over', at);
      case 'process_seen':
        return this.#end(event.processName, `exit ${event.processName}`, 'runs', at);
      case 'process_unwatched':
        return this.#end(event.processName, `exit ${event.processName}`, 'unwatched', at);
      case 'check_changed': {
        // What cannot be looked at may still be failing.
        if (event.to === 'failing' || event.to === 'unknown') return [];
        const how = event.to === 'ok' ? 'ok' : 'unwatched';
        return this.#end(this.#ownerOf(event), `check ${event.name}`, how, at);
      }
      case 'alarms_taken':
        this.#load(at);
        return [...this.#open.values()].flatMap((open) => this.#keepOnly(open, event.keys, at));
      case 'incident_joined':
        return this.#join(event.processName, event.leaderName, at);
      default:
        return [];
    }
  }

  /** Whose incident a change of a check belongs to: that of its process, unless it is only a warning. */
  #ownerOf({ name, processName, isWarning }: EventOf<'check_changed'>): string {
    if (processName === null) return name;
    const has = (owner: string): boolean => this.#ofName.get(owner)?.signs.has(`check ${name}`) ?? false;
    return has(name) || (isWarning && !has(processName)) ? name : processName;
  }

  #sign(name: string, sign: string, by: IncidentSign, at: Date): readonly EmittedEvent[] {
    this.#load(at);
    const known = this.#ofName.get(name);
    if (known !== undefined) {
      known.signs.add(sign);
      this.#save(known);
      return [];
    }
    const open: Open = { id: this.#nextId++, name, by, openedAt: at, signs: new Set([sign]), names: new Set([name]) };
    this.#open.set(open.id, open);
    this.#ofName.set(name, open);
    this.#save(open);
    return [{ type: 'incident_opened', name, by, at, incident: open.id }];
  }

  #drop(name: string, sign: string): Open | undefined {
    this.#unseen.delete(sign);
    const open = this.#ofName.get(name);
    return open?.signs.delete(sign) ? open : undefined;
  }

  #end(name: string, sign: string, how: IncidentEnd, at: Date): readonly EmittedEvent[] {
    this.#load(at);
    const open = this.#drop(name, sign);
    return open === undefined ? [] : this.#settle(open, how, at);
  }

  /** Takes away the alarms that a poll does not show any more. */
  #keepOnly(open: Open, keys: ReadonlySet<string>, at: Date): readonly EmittedEvent[] {
    const gone = [...open.signs].filter((sign) => {
      if (sign.startsWith('alarm ')) return !keys.has(sign.slice('alarm '.length));
      const polls = this.#unseen.get(sign);
      if (polls !== undefined) this.#unseen.set(sign, polls + 1);
      return polls !== undefined && polls + 1 >= UNSEEN_POLLS;
    });
    // Without signs it is one of an earlier life of the daemon, of which only passing ones were left.
    if (gone.length === 0 && open.signs.size > 0) return [];
    for (const sign of gone) {
      this.#unseen.delete(sign);
      open.signs.delete(sign);
    }
    return this.#settle(open, 'over', at);
  }

  /** Closes an incident if no sign of it is left. */
  #settle(open: Open, how: IncidentEnd, at: Date, joined: number | null = null): readonly EmittedEvent[] {
    if (open.signs.size > 0) {
      this.#save(open);
      return [];
    }
    const { id, name, openedAt } = open;
    this.#open.delete(id);
    for (const each of open.names) if (this.#ofName.get(each) === open) this.#ofName.delete(each);
    this.#save(open, { at, how, joined });
    const durationMs = Math.max(0, at.getTime() - openedAt.getTime());
    return [{ type: 'incident_closed', name, how, durationMs, joined, at, incident: id }];
  }

  #belongTogether(name: string, leaderName: string, at: Date): boolean {
    this.#load(at);
    return this.#ofName.get(name) === this.#ofName.get(leaderName);
  }

  /** Lets what happens to a process from now on belong to the incident of its leader. */
  #join(name: string, leaderName: string, at: Date): readonly EmittedEvent[] {
    this.#load(at);
    const own = this.#ofName.get(name);
    const leading = this.#ofName.get(leaderName);
    const only = own ?? leading;
    if (only === undefined) return [];
    // A leader without an incident is not in alarm itself: its section only decides how the target is recovered.
    if (own === undefined || leading === undefined) {
      const added = own === undefined ? name : leaderName;
      only.names.add(added);
      this.#ofName.set(added, only);
      this.#save(only);
      return [];
    }
    for (const sign of own.signs) leading.signs.add(sign);
    for (const each of own.names) {
      leading.names.add(each);
      this.#ofName.set(each, leading);
    }
    own.signs.clear();
    this.#save(leading);
    return this.#settle(own, 'joined', at, leading.id);
  }

  /** Loads what an earlier run of the daemon left open, once something happens. */
  #load(at: Date): void {
    if (this.#nextId > 0) return;
    const { open, lastId } = this.#records.unfinished();
    // If the records cannot be read: a number that none of them has.
    this.#nextId = (lastId ?? Math.floor(at.getTime() / 1000)) + 1;
    for (const { id, name, by, openedAt, signs, names } of open) {
      const loaded: Open = { id, name, by, openedAt, signs: new Set(signs), names: new Set(names) };
      // A recovery has ended with the daemon, and an alarm that was raised is in the next poll, or gone.
      for (const sign of signs) if (/^(?:recovery|raised) /.test(sign)) loaded.signs.delete(sign);
      this.#open.set(id, loaded);
      for (const each of names) this.#ofName.set(each, loaded);
    }
  }

  #save(open: Open, closed: IncidentRecord['closed'] = null): void {
    this.#records.set({ ...open, signs: [...open.signs], names: [...open.names], closed });
  }
}

/** A raised alarm that this many polls have not shown is not in the store any more. */
const UNSEEN_POLLS = 2;

/** The process or check that an event is about; undefined if it is about none. */
function nameOf(event: MonitorEvent): string | undefined {
  if ('process' in event) return event.process.processName;
  if ('processName' in event && event.processName !== null) return event.processName;
  return 'name' in event ? (event.name ?? undefined) : undefined;
}
