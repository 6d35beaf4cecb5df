import assert from 'node:assert/strict';
import type { CheckParts, CheckTarget, CheckType, Finding, Reading } from '../../src/detectors/checks/check.ts';
import type { AsksWorker } from '../../src/probes/worker/client.ts';
import { PlainSection } from './plain-section.ts';
import { never } from './worker-world.ts';

/** Keys of a section without `type`. */
export type Keys = Readonly<Record<string, string>>;

const check = { name: 'test', processName: undefined, systemName: 'test' };

/** The check of these keys, which must be without a problem. */
export function targetOf<O>(type: CheckType<O>, keys: Keys, worker: AsksWorker): CheckTarget {
  const section = new PlainSection(keys);
  const options = type.parse(section, check);
  assert.deepEqual(section.problems, []);
  assert(options !== undefined);
  return type.create(options, check, { worker } as unknown as CheckParts);
}

/**
 * One look; its reading in a line: `ok`, `failing: REASON`, `warning: REASON`, `unknown: REASON`, and the same after ` | NAME ` for each
 * part that is not ok.
 */
export async function lookOnce(target: CheckTarget, timeoutMs = 30_000): Promise<string> {
  return words(await target.look(timeoutMs, never));
}

function words(reading: Reading): string {
  const parts = Object.entries(reading.parts ?? {}).filter(([, { kind }]) => kind !== 'ok');
  return [finding(reading), ...parts.map(([name, part]) => `${name} ${finding(part)}`)].join(' | ');
}

function finding(reading: Finding): string {
  if (reading.kind === 'ok') return 'ok';
  return `${reading.kind === 'failing' && reading.isWarning ? 'warning' : reading.kind}: ${reading.reason}`;
}

/** What is reported about these keys. */
export function problemsWith<O>(type: CheckType<O>, keys: Keys): string[] {
  const section = new PlainSection(keys);
  type.parse(section, check);
  return section.problems;
}
