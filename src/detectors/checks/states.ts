// The states of one check: of the check as a whole, and of its parts.
import type { Clock } from '../../core/clock.ts';
import type { Finding, Reading } from './check.ts';
import type { ParsedCheck } from './parse-checks.ts';
import { partName } from './part-names.ts';
import { after, isInDoubt, NOT_LOOKED, notLookedYet, type Standing } from './standing.ts';

/** What is known of a check, or of one part of it. */
export interface CheckPart {
  /** NAME of the check, or NAME/PART. */
  readonly name: string;
  /** Undefined: the check as a whole. */
  readonly part: string | undefined;
  readonly standing: Standing;
  /** Since when its state is what it is. */
  readonly since: Date;
}

/** What a reading has changed about one of them. */
export interface PartChange {
  readonly state: CheckPart;
  readonly before: Standing;
  /** What the reading says about it. */
  readonly finding: Finding;
  /** Its alarm has to be raised now. */
  readonly raises: boolean;
}

/** What a reading has changed. */
interface Taken {
  readonly changes: readonly PartChange[];
  /** Those that the target does not have any more. */
  readonly gone: readonly CheckPart[];
  /** False if a failure was found that does not count now. */
  readonly isCounted: boolean;
}

/** What is known of a check (undefined) and of its parts. */
export type KnownParts = ReadonlyMap<string | undefined, Standing>;

/** The states of one check. Those of its parts begin with the first reading that has them. */
export class CheckStates {
  readonly #check: Pick<ParsedCheck, 'settings' | 'hasOnlyParts'>;
  readonly #clock: Clock;
  #states: ReadonlyMap<string | undefined, CheckPart>;

  /** `known`: what is known so far of it and of its parts. */
  constructor(check: Pick<ParsedCheck, 'settings' | 'hasOnlyParts'>, known: KnownParts, clock: Clock) {
    this.#check = check;
    this.#clock = clock;
    const states = new Map([...known].map(([part, standing]) => [part, this.#begin(part, standing)]));
    const isWhole = states.size === 0 || check.hasOnlyParts !== true;
    this.#states = isWhole ? new Map([[undefined, this.#begin(undefined)], ...states]) : states;
  }

  /** All, that of the whole first; if there are only parts, that of the whole is there until they are. */
  list(): readonly CheckPart[] {
    return [...this.#states.values()];
  }

  /** True if that part fails; undefined: the whole, or any part if there are only parts. */
  isFailing(part: string | undefined): boolean {
    const isAny = part === undefined && this.#check.hasOnlyParts;
    return this.list().some((state) => (isAny || state.part === part) && state.standing.state === 'failing');
  }

  /** True if a last reading contradicts its state. */
  get isInDoubt(): boolean {
    return this.list().some(({ standing }) => isInDoubt(standing));
  }

  /** Takes a reading; `counts`: whether a failure counts. */
  take(reading: Reading, counts: boolean): Taken {
    const found = this.#findings(reading);
    const [changes, states]: [PartChange[], Map<string | undefined, CheckPart>] = [[], new Map()];
    let isCounted = true;
    for (const [part, finding] of found) {
      const state = this.#states.get(part) ?? this.#begin(part);
      if (finding.kind === 'failing' && !counts) {
        states.set(part, { ...state, standing: { ...state.standing, oks: 0 } });
        isCounted = false;
        continue;
      }
      const change = this.#after(state, finding);
      states.set(part, change.state);
      changes.push(change);
    }
    // A look that says nothing about parts leaves them as they are.
    const isWhole = reading.parts !== undefined;
    const gone = isWhole ? this.list().filter(({ part, standing }) => !states.has(part) && isKnown(standing)) : [];
    this.#states = isWhole ? states : new Map([...this.#states, ...states]);
    return { changes, gone, isCounted };
  }

  /** Only what is found from now on raises an alarm again. */
  forgetFailures(): void {
    const forgotten = ({ part, standing, ...state }: CheckPart): [string | undefined, CheckPart] => [
      part,
      { ...state, part, standing: { ...standing, failures: 0, grave: 0 } },
    ];
    this.#states = new Map(this.list().map(forgotten));
  }

  /** What the reading says about each state. */
  #findings(reading: Reading): readonly (readonly [string | undefined, Finding])[] {
    const { hasOnlyParts } = this.#check;
    if (hasOnlyParts && reading.parts === undefined) return this.list().map(({ part }) => [part, reading]);
    return findingsOf(reading, hasOnlyParts);
  }

  #after(state: CheckPart, finding: Finding): PartChange {
    const { failureThreshold: failures, successThreshold: successes } = this.#check.settings;
    const { standing, raises } = after(state.standing, finding, { failures, successes });
    const since = standing.state === state.standing.state ? state.since : this.#clock.date();
    return { state: { ...state, standing, since }, before: state.standing, finding, raises };
  }

  #begin(part: string | undefined, standing = notLookedYet()): CheckPart {
    return { name: partName(this.#check.settings.name, part), part, standing, since: this.#clock.date() };
  }
}

/** False if nothing has been found or said of it. */
function isKnown({ verdict, reason }: Standing): boolean {
  return verdict !== null || reason !== NOT_LOOKED;
}

/** What the reading says about each state that a check of that kind has. */
export function findingsOf(reading: Reading, hasOnlyParts = false): readonly (readonly [string | undefined, Finding])[] {
  const parts = Object.entries(reading.parts ?? {});
  return hasOnlyParts && parts.length > 0 ? parts : [[undefined, reading], ...parts];
}

/** What the reading says about a part, or about the check as a whole. */
export function findingOf(reading: Reading, part: string | undefined): Finding {
  if (part === undefined) return reading;
  const none = { kind: 'unknown', reason: 'the look says nothing about it' } as const;
  return reading.parts?.[part] ?? (reading.kind === 'unknown' ? reading : none);
}
