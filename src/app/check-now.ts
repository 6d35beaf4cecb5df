// What is known of checks, and looks at what they look at, for an order.
import { closest } from '../config/did-you-mean.ts';
import type { CheckedOne } from '../control/orders/check.ts';
import type { KnownCheck } from '../control/orders/checks.ts';
import type { Orders } from '../control/orders.ts';
import type { CheckStatus } from '../control/status.ts';
import { Slots } from '../core/slots.ts';
import { quoted } from '../core/text/printable.ts';
import type { ParsedCheck } from '../detectors/checks/parse-checks.ts';
import { checkOf, partOf } from '../detectors/checks/part-names.ts';
import { NOT_LOOKED, type Standing } from '../detectors/checks/standing.ts';
import type { Core } from './app.ts';
import { refuse, whichCheck } from './known-names.ts';
import type { Settings } from './settings.ts';

/** Looks once at the target of that check, or of all (undefined); `name` may also be that of one of its parts. */
export async function checkNow(
  { abort, checks, clock, settings }: Pick<Core, 'abort' | 'checks' | 'clock' | 'settings'>,
  name: string | undefined,
): ReturnType<Orders['check']> {
  const configured = settings().checks;
  const refused = refusedChecks(settings());
  const meant = name === undefined ? configured : configured.filter(({ settings }) => settings.name === checkOf(name));
  if (name !== undefined && meant.length === 0) {
    const known = whichCheck({ settings }, name);
    const isRefused = refused.some((one) => one.name === checkOf(name));
    return refuse(isRefused ? 'invalid' : 'not_found', known ?? noSuchCheck(configured, name));
  }
  const slots = new Slots(settings().checkConcurrency);
  const found = meant.map(async (check): Promise<readonly CheckedOne[]> => {
    await slots.take(Number.POSITIVE_INFINITY, abort.signal);
    const begunMs = clock.monotonicMs();
    const { found: parts, target } = await checks.lookNow(check, abort.signal).finally(() => slots.release());
    const { processName = null, severity, showTarget, description = null, runbook = null } = check.settings;
    const durationMs = Math.round(clock.monotonicMs() - begunMs);
    return parts.map(({ name: partName, finding }) => ({
      name: partName,
      type: check.type,
      process: processName,
      target: showTarget ? target : null,
      result: finding.kind,
      isWarning: severity === 'warning' || (finding.kind === 'failing' && finding.isWarning === true),
      reason: finding.kind === 'ok' ? null : finding.reason,
      durationMs,
      description,
      runbook,
    }));
  });
  const all = (await Promise.all(found)).flat();
  const isPart = name !== undefined && partOf(name) !== undefined;
  const looked = isPart ? all.filter((one) => one.name === name) : all;
  if (isPart && looked.length === 0) return refuse('not_found', `no check or part of one is named ${quoted(name)}`);
  return { kind: 'done', checks: name === undefined ? [...looked, ...refused.map(notRun)] : looked };
}

/** A check whose section has an error. */
interface RefusedCheck {
  readonly name: string;
  /** `FILE:LINE: [check.NAME] key: problem`. */
  readonly reason: string;
}

function refusedChecks({ document }: Settings): RefusedCheck[] {
  return [...document.refusals('check')].map(([name, reason]) => ({ name, reason }));
}

function notRun({ name, reason }: RefusedCheck): CheckedOne {
  const nothing = { process: null, target: null, description: null, runbook: null } as const;
  return { name, type: '', ...nothing, result: 'unknown', isWarning: false, reason: `not run: ${reason}`, durationMs: 0 };
}

/** What the daemon, which runs since `startedAt`, knows of its checks; null if there are none. */
export function checkStatuses(
  { checks, settings }: Pick<Core, 'checks' | 'settings'>,
  startedAt: Date,
): readonly CheckStatus[] | null {
  const refused = refusedChecks(settings()).map(({ name, reason }): CheckStatus => {
    const state = { state: 'unknown', isWarning: false, reason: `not run: ${reason}` } as const;
    return { name, type: '', process: null, ...state, since: startedAt.toISOString(), lookedAt: null };
  });
  const running = (checks.list() ?? []).flatMap(({ parsed, states, lookedAt }) =>
    states.map(({ name, standing, since }): CheckStatus => {
      const { state, isWarning } = standing;
      const { processName = null, severity } = parsed.settings;
      return {
        name,
        type: parsed.type,
        process: processName,
        state,
        isWarning: severity === 'warning' || isWarning,
        reason: state === 'ok' ? null : reasonOf(standing),
        since: since.toISOString(),
        lookedAt: lookedAt?.toISOString() ?? null,
      };
    }),
  );
  const all = [...running, ...refused];
  return all.length === 0 ? null : all;
}

/** What the daemon knows of its checks, each with its last result. */
export function withLastResults({ state }: Pick<Core, 'state'>, statuses: readonly CheckStatus[]): readonly KnownCheck[] {
  return statuses.map((status): KnownCheck => {
    const [last] = state.results.last(status.name, 1);
    if (last === undefined) return { status, last: null };
    const { at, kind: result, reason, durationMs, isHeld } = last;
    return { status, last: { at: at.toISOString(), result, reason: result === 'ok' ? null : reason, durationMs, isHeld } };
  });
}

/** What an earlier run of the daemon has found is not forgotten. */
function reasonOf({ reason, verdict }: Standing): string {
  return reason === NOT_LOOKED && verdict === 'failing' ? `${reason} (it was failing)` : reason;
}

function noSuchCheck(configured: readonly ParsedCheck[], name: string): string {
  const meant = closest(
    name,
    configured.map(({ settings }) => settings.name),
  );
  const hint = meant === undefined ? '' : ` (did you mean ${meant}?)`;
  return `no check named ${quoted(name)} is configured${hint}`;
}
