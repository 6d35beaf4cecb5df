// How long something was up and down, from the timeline.
import type { Span, SpanKind } from '../../state/daemon-state.ts';

/** How long it was what, in a stretch of time. Times are milliseconds. */
interface Availability {
  readonly upMs: number;
  readonly downMs: number;
  /** On hold: neither up nor down. */
  readonly heldMs: number;
  readonly unknownMs: number;
  /** up / (up + down), 0 to 100, to three places, rounded down; null if nothing is known. */
  readonly percent: number | null;
  /** How often it was down; what was not known or held in between does not divide an outage. */
  readonly outages: number;
  /** How long it was known to be down in the longest outage. */
  readonly longestMs: number;
  /** The mean of those after which it was seen up again; null if there is none. */
  readonly meanToRecoverMs: number | null;
}

/** `process`: what has alarms; `check`: what is looked at. */
export type SubjectKind = 'process' | 'check';

type Condition = 'up' | 'down' | 'held' | 'unknown';

/** The figures of one process, check or part of one, from its own spans and those that concern all, between two times. */
export function availability(of: SubjectKind, spans: readonly Span[], from: number, to: number): Availability {
  const active = new Map<SpanKind, number>();
  const sums = { up: 0, down: 0, held: 0, unknown: 0 };
  const outages = { count: 0, longest: 0, ended: 0, endedMs: 0 };
  let outage: number | undefined;
  let since = from;
  for (const { at, kind, change } of [...edges(spans, from, to), { at: to, kind: 'run', change: 0 } as const]) {
    const ms = at - since;
    if (ms > 0) {
      const condition = CONDITION[of]((each) => (active.get(each) ?? 0) > 0);
      sums[condition] += ms;
      if (condition === 'down') {
        if (outage === undefined) outages.count++;
        outage = (outage ?? 0) + ms;
        outages.longest = Math.max(outages.longest, outage);
      } else if (condition === 'up' && outage !== undefined) {
        outages.ended++;
        outages.endedMs += outage;
        outage = undefined;
      }
    }
    active.set(kind, (active.get(kind) ?? 0) + change);
    since = at;
  }
  const known = sums.up + sums.down;
  return {
    upMs: sums.up,
    downMs: sums.down,
    heldMs: sums.held,
    unknownMs: sums.unknown,
    // Never 100 after an outage.
    percent: known === 0 ? null : Math.floor((sums.up * 100_000) / known) / 1000,
    outages: outages.count,
    longestMs: outages.longest,
    meanToRecoverMs: outages.ended === 0 ? null : Math.round(outages.endedMs / outages.ended),
  };
}

interface Edge {
  readonly at: number;
  readonly kind: SpanKind;
  readonly change: 1 | -1;
}

/** Where spans begin and end in that time, in order. */
function edges(spans: readonly Span[], from: number, to: number): readonly Edge[] {
  return spans
    .flatMap(({ kind, ...span }): Edge[] => {
      const begin = Math.max(span.from, from);
      const end = Math.min(span.to ?? to, to);
      if (begin >= end) return [];
      return [
        { at: begin, kind, change: 1 },
        { at: end, kind, change: -1 },
      ];
    })
    .sort((a, b) => a.at - b.at);
}

const CONDITION: Readonly<Record<SubjectKind, (is: (kind: SpanKind) => boolean) => Condition>> = {
  process: (is) => {
    if (!is('run') || !is('known')) return 'unknown';
    if (is('held')) return 'held';
    // A detector sees it without the store.
    if (is('down')) return 'down';
    if (is('store')) return 'unknown';
    return is('alarm') ? 'down' : 'up';
  },
  check: (is) => {
    if (!is('run')) return 'unknown';
    if (is('held')) return 'held';
    if (is('failing')) return 'down';
    return is('ok') ? 'up' : 'unknown';
  },
};
