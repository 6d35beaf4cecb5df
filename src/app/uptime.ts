// How long processes and checks were up, from the timeline.
import type { UptimeOf } from '../control/orders/uptime.ts';
import type { Orders } from '../control/orders.ts';
import { checkOf } from '../detectors/checks/part-names.ts';
import { availability, type SubjectKind } from '../monitor/history/availability.ts';
import type { Span } from '../state/daemon-state.ts';
import type { Core } from './app.ts';
import { isConfigured, type NameSources, unknownName } from './known-names.ts';
import { unreadable } from './story.ts';

/** What has an uptime: a process, a check, or a part of one. */
interface Subject {
  readonly kind: SubjectKind;
  readonly name: string;
  /** Whose hold is its own too. */
  readonly processName: string | null;
}

/** The figures of `asked`, or of all processes, of the checks that have none, and of all parts of checks. */
export async function tellUptime(
  core: NameSources,
  asked: string | undefined,
  days = USUAL_DAYS,
): ReturnType<Orders['uptime']> {
  const fault = unreadable(core);
  if (fault !== undefined) return fault;
  const to = core.clock.date().getTime();
  const from = to - days * DAY_MS;
  const spans = new Map<string, Span[]>();
  for (const span of core.state.timeline.find(new Date(from))) {
    const known = spans.get(span.name);
    if (known === undefined) spans.set(span.name, [span]);
    else known.push(span);
  }
  const subjects = asked === undefined ? all(core, spans) : named(core, spans, asked);
  // A process that has only rows in the database, and has never been in alarm.
  if (asked !== undefined && subjects.length === 0) {
    const refusal = await unknownName(core, asked);
    if (refusal !== undefined) return refusal;
    subjects.push({ kind: 'process', name: asked, processName: asked });
  }
  const uptimes = subjects.map((subject): UptimeOf => {
    const { kind, name } = subject;
    return { name, kind, ...availability(kind, spansOf(subject, spans), from, to) };
  });
  return { kind: 'done', from: new Date(from).toISOString(), to: new Date(to).toISOString(), uptimes };
}

const USUAL_DAYS = 30;
const DAY_MS = 86_400_000;

type Spans = ReadonlyMap<string, readonly Span[]>;

function all(core: Pick<Core, 'settings'>, spans: Spans): Subject[] {
  const { processNames, checks } = core.settings();
  const checkNames = new Set(checks.map(({ settings }) => settings.name));
  const others = [...spans.keys()].filter((name) => !processNames.includes(name) && !checkNames.has(checkOf(name)));
  return [
    ...processNames.map(processNamed),
    ...others.filter((name) => hasTrouble(spans, name)).map(processNamed),
    ...checks.flatMap(({ settings: { name, processName } }) =>
      ofCheck(core, spans, name).filter((each) => processName === undefined || each.name !== name),
    ),
  ];
}

function named(core: Pick<Core, 'settings'>, spans: Spans, asked: string): Subject[] {
  const isProcess = isConfigured(core, asked) || (hasTrouble(spans, asked) && !isCheck(core, asked));
  const ofProcess = isProcess ? [processNamed(asked)] : [];
  if (!isCheck(core, asked)) return ofProcess;
  return [...ofProcess, ...ofCheck(core, spans, checkOf(asked)).filter(({ name }) => name === asked || !asked.includes('/'))];
}

/** The check and its parts; not the check itself, if only its parts have a state. */
function ofCheck(core: Pick<Core, 'settings'>, spans: Spans, check: string): Subject[] {
  const processName = core.settings().checks.find(({ settings }) => settings.name === check)?.settings.processName ?? null;
  const subject = (name: string): Subject => ({ kind: 'check', name, processName });
  const parts = [...spans.keys()].filter((name) => name.startsWith(`${check}/`) && isLooked(spans, name)).sort();
  const hasOnlyParts = parts.length > 0 && !isLooked(spans, check);
  return [...(hasOnlyParts ? [] : [subject(check)]), ...parts.map(subject)];
}

function spansOf({ kind, name, processName }: Subject, spans: Spans): readonly Span[] {
  const own = spans.get(name) ?? [];
  const common = spans.get('') ?? [];
  if (kind === 'check') {
    const held = processName === null ? [] : (spans.get(processName) ?? []).filter((span) => span.kind === 'held');
    return [...own.filter((span) => span.kind !== 'held'), ...held, ...common];
  }
  if (own.some((span) => span.kind === 'known')) return [...own, ...common];
  // Without a section: since when it has a row is not known; it had one when it was in alarm.
  const first = Math.min(...own.flatMap((span) => (isTrouble(span) ? [span.from] : [])));
  return Number.isFinite(first) ? [...own, { kind: 'known', name, from: first, to: null }, ...common] : [...own, ...common];
}

function processNamed(name: string): Subject {
  return { kind: 'process', name, processName: name };
}

function isCheck({ settings }: Pick<Core, 'settings'>, name: string): boolean {
  return settings().checks.some((check) => check.settings.name === checkOf(name));
}

function hasTrouble(spans: Spans, name: string): boolean {
  return (spans.get(name) ?? []).some(isTrouble);
}

function isTrouble({ kind }: Span): boolean {
  return kind === 'down' || kind === 'alarm';
}

function isLooked(spans: Spans, name: string): boolean {
  return (spans.get(name) ?? []).some(({ kind }) => kind === 'ok' || kind === 'failing');
}
