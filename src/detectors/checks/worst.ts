// What several findings come to.
import type { Finding } from './check.ts';

/** The worst of them: one that fails, else one that is unknown, else ok; undefined if there are none. */
export function worstOf(findings: readonly Finding[]): Finding | undefined {
  const order = ['failing', 'unknown', 'ok'] as const;
  return order.map((kind) => findings.find((finding) => finding.kind === kind)).find((finding) => finding !== undefined);
}
