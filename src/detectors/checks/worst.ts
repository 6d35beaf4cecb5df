// What several findings come to.
import type { Finding } from './check.ts';
import { partOf } from './part-names.ts';

/** The worst of them: one that fails, else one that is unknown, else ok; undefined if there are none. */
export function worstOf(findings: readonly Finding[]): Finding | undefined {
  const order = ['failing', 'unknown', 'ok'] as const;
  return order.map((kind) => findings.find((finding) => finding.kind === kind)).find((finding) => finding !== undefined);
}

/**
 * What is found about the check or part of that name, among all that is found about its check; of a check that has only parts, the worst of
 * them. `onlyWarns`: `severity = warning`. Undefined if there is nothing about it.
 */
export function foundOf(
  name: string,
  found: readonly { readonly name: string; readonly finding: Finding }[],
  onlyWarns: boolean,
): Finding | undefined {
  const own = found.filter((one) => one.name === name);
  const meant = own.length > 0 || partOf(name) !== undefined ? own : found;
  const worst = worstOf(meant.map(({ finding }) => finding));
  return worst?.kind === 'failing' && onlyWarns ? { ...worst, isWarning: true } : worst;
}
