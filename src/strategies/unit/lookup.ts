// Looks up the unit that a name means.
import { readFileSync } from 'node:fs';
import type { Clock } from '../../core/clock.ts';
import { quoted } from '../../core/text/printable.ts';
import type { ServiceManager, UnitStatus } from '../../system/systemd/service-manager.ts';
import { isOwnUnit, judgeUnitName } from './name-policy.ts';
import { isAbsent } from './state.ts';

/** What systemd has under a name. Every reason is one line for people. */
export type UnitLookup =
  /** systemd knows the unit; `status.loadState` says whether it can load it. */
  | { readonly kind: 'found'; readonly status: UnitStatus }
  /** There is no such unit (or no systemd; then `isAsked` is false); `unit` is the name that was looked up. */
  | { readonly kind: 'absent'; readonly unit: string; readonly reason: string; readonly isAsked: boolean }
  /** No unit can have that name. */
  | { readonly kind: 'impossible'; readonly reason: string }
  /** It must not be touched. `unit`: which one it is, if known. */
  | { readonly kind: 'refused'; readonly reason: string; readonly unit?: string }
  /** systemd does not answer: nothing is known. `why`: systemd's part of the reason. */
  | Unanswered;

/** Every reason is one line for people. */
export interface Unanswered {
  readonly kind: 'unanswered';
  readonly reason: string;
  readonly why: string;
}

/** Finds the unit that `name` means, even through an alias, and judges that name and the unit's real one. Never rejects. */
export async function lookUpUnit(
  services: ServiceManager,
  name: string,
  hasOwnSection: boolean,
  signal: AbortSignal,
): Promise<UnitLookup> {
  const judgement = judgeUnitName(name, hasOwnSection);
  if (judgement.kind !== 'unit') return judgement;
  // Escaped, an instance's name may contain blanks and options for the commands of its template.
  if (!hasOwnSection && name.includes('\\'))
    return {
      kind: 'refused',
      reason: `${quoted(name)} holds a backslash: it is restarted only if it has a section of its own`,
    };
  const { unit } = judgement;
  if (!services.available) return { kind: 'absent', unit, reason: `${unit}: systemd does not run here`, isAsked: false };
  const answer = await services.show(unit, signal);
  if (answer.kind === 'failed') {
    // Our own limit ended the wait: what systemd would have answered is not known.
    if (signal.aborted) return { kind: 'unanswered', reason: `systemd did not say in time what ${unit} is`, why: SILENT };
    return { kind: 'unanswered', reason: `systemd does not say what ${unit} is: ${answer.reason}`, why: answer.reason };
  }
  const { status } = answer;
  if (isAbsent(status)) return { kind: 'absent', unit, reason: `systemd knows no unit ${unit}`, isAsked: true };
  const behind = judgeUnitName(status.id, hasOwnSection);
  if (behind.kind !== 'unit')
    return { kind: 'refused', reason: `${unit} stands for another unit, which is refused: ${behind.reason}`, unit: status.id };
  if (isOwnUnit(status, process.pid, ownControlGroup())) {
    return { kind: 'refused', reason: `${status.id} is the unit that monitor_service runs in`, unit: status.id };
  }
  return { kind: 'found', status };
}

/**
 * Looks until systemd answers, at most until `signal` aborts: it may hang, or be re-executing. Then `unanswered` with what kept
 * systemd from answering, never with our own time limit as the reason. Never rejects.
 */
export async function untilAnswered<T extends { readonly kind: string }>(
  clock: Clock,
  lookUp: (signal: AbortSignal) => Promise<T | Unanswered>,
  signal: AbortSignal,
): Promise<T | Unanswered> {
  let last: Unanswered | undefined;
  for (;;) {
    const found = await lookUp(signal);
    if (!isUnanswered(found)) return found;
    if (signal.aborted) return last ?? { kind: 'unanswered', reason: SILENT, why: SILENT };
    last = found;
    await clock.sleep(AGAIN_MS, signal);
  }
}

function isUnanswered(found: { readonly kind: string }): found is Unanswered {
  return found.kind === 'unanswered';
}

const SILENT = 'systemd does not answer';
const AGAIN_MS = 250;

/** Our place below the cgroup root (cgroups(7)): `/system.slice/monitor_service.service`; empty if it cannot be determined. */
function ownControlGroup(): string {
  try {
    return SYSTEMD_HIERARCHY.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1] ?? '';
  } catch {
    return '';
  }
}

/** The hierarchy of cgroup v1 has a name, and comes before the unified one; cgroup v2 has only the unified one. */
const SYSTEMD_HIERARCHY = /^\d+:(?:name=systemd)?:(.*)$/m;
