// Chooses between the unit and the program of a name.
import type { UnitLookup } from '../unit/lookup.ts';

/** Which of the two strategies applies now. */
export type Choice =
  | { readonly kind: 'service' }
  /**
   * `noUnit`: that systemd knows no unit of the name, in words; absent if systemd does not run, or no unit can have that name.
   */
  | { readonly kind: 'process'; readonly noUnit?: string }
  /** Neither: the name must not be touched, or systemd does not answer and nothing is guessed (`unanswered`). */
  | { readonly kind: 'none'; readonly reason: string; readonly unanswered?: true };

/** The strategy for what systemd has under the name. */
export function choiceFor(found: UnitLookup): Choice {
  switch (found.kind) {
    case 'found':
      return { kind: 'service' };
    case 'absent':
      return { kind: 'process', ...(found.isAsked && { noUnit: found.reason }) };
    case 'impossible':
      return { kind: 'process' };
    case 'refused':
      return { kind: 'none', reason: found.reason };
    case 'unanswered':
      return { kind: 'none', reason: found.reason, unanswered: true };
    default:
      return found satisfies never;
  }
}
