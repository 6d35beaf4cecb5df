// What a reload changes about the checks.
import { isDeepStrictEqual } from 'node:util';
import type { ParsedCheck } from './parse-checks.ts';

/** The checks that are not among the new ones as they are, and the new ones that are not among the old. */
export function changes(
  old: readonly ParsedCheck[],
  next: readonly ParsedCheck[],
): { readonly gone: readonly ParsedCheck[]; readonly added: readonly ParsedCheck[] } {
  const missingFrom = (list: readonly ParsedCheck[]): ((check: ParsedCheck) => boolean) => {
    const byName = new Map(list.map((check) => [check.settings.name, check]));
    return (check) => {
      const other = byName.get(check.settings.name);
      return other === undefined || !isSameTarget(check, other) || !isDeepStrictEqual(check.settings, other.settings);
    };
  };
  return { gone: old.filter(missingFrom(next)), added: next.filter(missingFrom(old)) };
}

/** True if both look at the same, whatever else is configured. */
export function isSameTarget(one: ParsedCheck, other: ParsedCheck): boolean {
  return (
    one.type === other.type &&
    one.settings.processName === other.settings.processName &&
    isDeepStrictEqual(one.options, other.options)
  );
}
