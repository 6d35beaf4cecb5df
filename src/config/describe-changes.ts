import type { ConfigDocument, KnownValue } from './config-document.ts';
import { shownText } from './shown-value.ts';

/**
 * The differences between two readings of the configuration, a line each: `[monitor] check_interval: 300 -> 60`, `[database]
 * password: changed`, `[process.nginx]: section added`; [] if no value that is read differs. A password is named without its
 * value, and so is a command, because it may contain one; credentials in URLs are masked. Both documents must have been read
 * completely. At most 100 lines.
 */
export function describeChanges(before: ConfigDocument, after: ConfigDocument): string[] {
  const old = before.values();
  const now = after.values();
  const changes: string[] = [];
  for (const section of new Set([...old.keys(), ...now.keys()])) {
    const place = `[${shownText(section, 100)}]`;
    const oldKeys = old.get(section) ?? new Map<string, KnownValue>();
    const nowKeys = now.get(section) ?? new Map<string, KnownValue>();
    if (!old.has(section)) changes.push(`${place}: section added`);
    if (!now.has(section)) changes.push(`${place}: section removed`);
    if (!old.has(section) || !now.has(section)) continue;
    for (const key of new Set([...oldKeys.keys(), ...nowKeys.keys()])) {
      const [from, to] = [oldKeys.get(key), nowKeys.get(key)];
      if (from?.text !== to?.text) changes.push(`${place} ${shownText(key, 100)}: ${describeChange(from, to)}`);
    }
  }
  if (changes.length <= MAX_CHANGES) return changes;
  return [...changes.slice(0, MAX_CHANGES - 1), `and ${changes.length - MAX_CHANGES + 1} more changes`];
}

/** The names of processes whose own section was added, removed or changed. A change in `[process.default]` does not count. */
export function changedProcesses(before: ConfigDocument, after: ConfigDocument): string[] {
  const [old, now] = [before.values(), after.values()];
  const text = (keys: ReadonlyMap<string, KnownValue> | undefined): string =>
    JSON.stringify(keys && [...keys].map(([key, value]) => [key, value.text]).sort());
  const isChanged = (name: string): boolean => text(old.get(`process.${name}`)) !== text(now.get(`process.${name}`));
  return [...new Set([...before.names('process'), ...after.names('process')])].filter(isChanged);
}

const MAX_CHANGES = 100;

function describeChange(from: KnownValue | undefined, to: KnownValue | undefined): string {
  const [shownFrom, shownTo] = [shown(from?.text), shown(to?.text)];
  // A command may contain a secret.
  const isShown = [from, to].every((value) => value === undefined || value.kind === 'plain');
  if (!isShown || shownFrom === shownTo) {
    return from === undefined ? 'set' : to === undefined ? 'removed' : 'changed';
  }
  return `${shownFrom} -> ${shownTo}`;
}

function shown(value: string | undefined): string {
  if (value === undefined) return '(not set)';
  return value === '' ? '(empty)' : shownText(value, 60);
}
