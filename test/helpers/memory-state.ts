import type { BreakerSnapshot } from '../../src/core/breaker-snapshot.ts';
import type { LaunchNote, LaunchRecord } from '../../src/core/program/launch-record.ts';
import type { Pin } from '../../src/core/program/pin.ts';
import type { RootProcess } from '../../src/core/program/roots.ts';
import type {
  CheckStateRecord,
  DaemonState,
  HandledAlarm,
  HistoryEntry,
  HoldRecord,
  IncidentRecord,
  JournalEntry,
  KeptAlarmRecord,
  LastRecoveryRecord,
  UnprovedAlarm,
  WatchedLife,
} from '../../src/state/daemon-state.ts';
import type { StrategyParts } from '../../src/strategies/strategy.ts';
import { sharedLooks } from '../../src/system/proc/look.ts';
import { ProcessTable } from '../../src/system/proc/table.ts';

/** The daemon's memory without a disk. */
export function memoryState(): DaemonState {
  const journal = new Map<string, JournalEntry>();
  const breakers = new Map<string, { snapshot: BreakerSnapshot; processName: string }>();
  const handled = new Map<string, HandledAlarm>();
  const unproved = new Map<string, UnprovedAlarm>();
  const holds = new Map<HoldRecord['name'], HoldRecord>();
  const launches = new Map<string, LaunchRecord>();
  const further = new Map<string, readonly LaunchRecord[]>();
  const notes = new Map<string, LaunchNote>();
  const pins = new Map<string, Pin>();
  const roots = new Map<string, readonly RootProcess[]>();
  const kept = new Map<string, KeptAlarmRecord>();
  const lives = new Map<string, WatchedLife>();
  const withProcesses = new Map<string, string>();
  const checkStates = new Map<string, CheckStateRecord>();
  const lastRecoveries = new Map<string, LastRecoveryRecord>();
  const history: HistoryEntry[] = [];
  const incidents: IncidentRecord[] = [];
  return {
    checkStates: {
      get: (name) => checkStates.get(name),
      set: (record) => void checkStates.set(record.name, record),
      delete: (name) => void checkStates.delete(name),
      list: () => [...checkStates.values()],
    },
    journal: {
      begin: (entry) => void journal.set(entry.target, entry),
      end: (target) => void journal.delete(target),
      list: () => [...journal.values()],
    },
    breakers: {
      load: () => new Map(breakers),
      save: (target, processName, snapshot) => void breakers.set(target, { snapshot, processName }),
      delete: (target) => void breakers.delete(target),
    },
    handled: {
      get: (processId) => handled.get(processId),
      set: (alarm) => void handled.set(alarm.processId, alarm),
      delete: (processId) => void handled.delete(processId),
      list: () => [...handled.values()],
    },
    unproved: {
      get: (key) => unproved.get(key),
      set: (alarm) => void unproved.set(alarm.key, alarm),
      delete: (key) => void unproved.delete(key),
      list: () => [...unproved.values()],
    },
    holds: {
      list: () => [...holds.values()],
      set: (hold) => void holds.set(hold.name, hold),
      delete: (name) => void holds.delete(name),
    },
    launches: {
      get: (name) => launches.get(name),
      set: (name, record) => void launches.set(name, record),
      further: (name) => further.get(name) ?? [],
      setFurther: (name, records) => void further.set(name, records),
      note: (name) => notes.get(name) ?? {},
      setNote: (name, note) => void notes.set(name, note),
    },
    pins: {
      get: (name) => pins.get(name),
      set: (pin) => void pins.set(pin.systemName, pin),
      delete: (name) => pins.delete(name),
      list: () => [...pins.values()],
    },
    roots: {
      get: (name) => roots.get(name) ?? [],
      set: (name, found) => void roots.set(name, found),
      lastUnit: (name) => roots.get(name)?.find(({ unit }) => unit !== undefined)?.unit,
      namesOf: ({ pid, startTime }) =>
        [...roots].flatMap(([name, of]) => (of.some((root) => root.pid === pid && root.startTime === startTime) ? [name] : [])),
    },
    kept: {
      get: (name) => kept.get(name),
      set: (alarm) => void kept.set(alarm.processName, alarm),
      delete: (name) => void kept.delete(name),
      list: () => [...kept.values()],
    },
    lives: {
      get: (name) => lives.get(name),
      set: (life) => void lives.set(life.processName, life),
      delete: (name) => void lives.delete(name),
      list: () => [...lives.values()],
    },
    unitsWithProcesses: {
      has: (unit, definition) => withProcesses.get(unit) === definition,
      add: (unit, definition) => void withProcesses.set(unit, definition),
    },
    lastRecoveries: {
      set: (record) => {
        lastRecoveries.set(record.processName, record);
        return [];
      },
      list: () => [...lastRecoveries.values()],
    },
    history: {
      append: (entry) => void history.push(entry),
      keep: () => {},
      count: (ids) => history.filter(({ incident }) => incident !== null && ids.includes(incident)).length,
      find: ({ processName, limit }) =>
        history
          .map((entry, id) => ({ ...entry, id }))
          .filter((entry) => processName === undefined || entry.processName === processName)
          .slice(-limit),
    },
    incidents: {
      unfinished: () => ({ open: incidents.filter(({ closed }) => closed === null), lastId: incidents.length }),
      get: (id) => incidents[id - 1],
      latest: () => incidents,
      joinedTo: (id) => incidents.flatMap((each) => (each.closed?.joined === id ? [each.id] : [])),
      set: (incident) => void incidents.splice(incident.id - 1, 1, incident),
    },
    results: { add: () => {}, keep: () => {}, last: () => [], rollups: () => [] },
    timeline: {
      startLife: () => {},
      beat: () => {},
      begin: () => {},
      end: () => {},
      endIncident: () => {},
      keepIncidents: () => {},
      lasting: () => [],
      find: () => [],
    },
    crashed: null,
    close: () => {},
  };
}

/** What strategies remember programs by, without a disk, and how they look for them. */
export function strategyMemory(): Pick<
  StrategyParts,
  'launches' | 'pins' | 'requirePin' | 'roots' | 'unitsWithProcesses' | 'table' | 'look'
> {
  const { launches, pins, roots, unitsWithProcesses } = memoryState();
  const table = new ProcessTable();
  return { launches, pins, requirePin: false, roots, unitsWithProcesses, table, look: sharedLooks(table) };
}
