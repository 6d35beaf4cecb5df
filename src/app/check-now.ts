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

/** Looks once at the target of that check, or of all (undefined). */
export async function checkNow(
  { abort, checks, clock, settings }: Pick<Core, 'abort' | 'checks' | 'clock' | 'settings'>,
  name: string | undefined,
): ReturnType<Orders['check']> {
  const configured = settings().checks;
  const meant = name === undefined ? configured : configured.filter((check) => check.settings.name === name);
  if (name !== undefined && meant.length === 0) return refuse('not_found', noSuchCheck(configured, name));
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
  return { kind: 'done', checks: await Promise.all(found) };
}

/** What the daemon knows of its checks; null if there are none. */
export function checkStatuses(checks: Core['checks']): readonly CheckStatus[] | null {
  const running = checks.list()?.map(({ parsed, standing, since, lookedAt }): CheckStatus => {
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
  return running ?? null;
}

function noSuchCheck(configured: readonly ParsedCheck[], name: string): string {
  const meant = closest(
    name,
    configured.map(({ settings }) => settings.name),
  );
  const hint = meant === undefined ? '' : ` (did you mean ${meant}?)`;
  return `no check named ${quoted(name)} is configured${hint}`;
}
