import type { UnitLookup } from '../unit/lookup.ts';

/** Which of the two strategies it is, as of now. */
export type Choice =
  | { readonly kind: 'service' }
  | { readonly kind: 'process' }
  /** Neither: the name must not be touched, or systemd does not answer and nothing is guessed. */
  | { readonly kind: 'none'; readonly reason: string };

/** The one that fits what systemd has under the name. */
export function choiceFor(found: UnitLookup): Choice {
  switch (found.kind) {
    case 'found':
      return { kind: 'service' };
    case 'absent':
    case 'impossible':
      return { kind: 'process' };
    case 'refused':
    case 'unanswered':
      return { kind: 'none', reason: found.reason };
    default:
      return found satisfies never;
  }
}
