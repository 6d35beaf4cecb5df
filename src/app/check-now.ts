// What is known of checks, and looks at what they look at, for an order.
import { closest } from '../config/did-you-mean.ts';
import type { CheckedOne } from '../control/orders/check.ts';
import type { Orders } from '../control/orders.ts';
import type { CheckStatus } from '../control/status.ts';
import { Slots } from '../core/slots.ts';
import { quoted } from '../core/text/printable.ts';
import type { ParsedCheck } from '../detectors/checks/parse-checks.ts';
import type { Core } from './app.ts';
import { refuse } from './known-names.ts';
import type { Settings } from './settings.ts';

/** Looks once at the target of that check, or of all (undefined). */
export async function checkNow(
  { abort, checks, clock, settings }: Pick<Core, 'abort' | 'checks' | 'clock' | 'settings'>,
  name: string | undefined,
): ReturnType<Orders['check']> {
  const configured = settings().checks;
  const refused = refusedChecks(settings());
  const meant = name === undefined ? configured : configured.filter((check) => check.settings.name === name);
  if (name !== undefined && meant.length === 0) {
    const why = refused.find((one) => one.name === name);
    return why === undefined
      ? refuse('not_found', noSuchCheck(configured, name))
      : refuse('invalid', `check ${name} is not run: ${why.reason}`);
  }
  const slots = new Slots(settings().checkConcurrency);
  const found = meant.map(async (check): Promise<CheckedOne> => {
    await slots.take(Number.POSITIVE_INFINITY, abort.signal);
    const begunMs = clock.monotonicMs();
    const { reading, target } = await checks.lookNow(check, abort.signal).finally(() => slots.release());
    const { processName = null, severity, showTarget, description = null, runbook = null } = check.settings;
    return {
      name: check.settings.name,
      type: check.type,
      process: processName,
      target: showTarget ? target : null,
      result: reading.kind,
      isWarning: severity === 'warning' || (reading.kind === 'failing' && reading.isWarning === true),
      reason: reading.kind === 'ok' ? null : reading.reason,
      durationMs: Math.round(clock.monotonicMs() - begunMs),
      description,
      runbook,
    };
  });
  const looked = await Promise.all(found);
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
  const running = (checks.list() ?? []).map(({ parsed, standing, since, lookedAt }): CheckStatus => {
    const { name, processName = null, severity } = parsed.settings;
    const { state, isWarning, reason } = standing;
    return {
      name,
      type: parsed.type,
      process: processName,
      state,
      isWarning: severity === 'warning' || isWarning,
      reason: state === 'ok' ? null : reason,
      since: since.toISOString(),
      lookedAt: lookedAt?.toISOString() ?? null,
    };
  });
  const all = [...running, ...refused];
  return all.length === 0 ? null : all;
}

function noSuchCheck(configured: readonly ParsedCheck[], name: string): string {
  const meant = closest(
    name,
    configured.map(({ settings }) => settings.name),
  );
  const hint = meant === undefined ? '' : ` (did you mean ${meant}?)`;
  return `no check named ${quoted(name)} is configured${hint}`;
}
