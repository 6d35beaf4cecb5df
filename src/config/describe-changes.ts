import type { ConfigDocument } from './config-document.ts';
import { isCommandKey, isSecretKey } from './ini-value.ts';
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
    const oldKeys = old.get(section) ?? new Map<string, string>();
    const nowKeys = now.get(section) ?? new Map<string, string>();
    if (!old.has(section)) changes.push(`${place}: section added`);
    if (!now.has(section)) changes.push(`${place}: section removed`);
    if (!old.has(section) || !now.has(section)) continue;
    for (const key of new Set([...oldKeys.keys(), ...nowKeys.keys()])) {
      const [from, to] = [oldKeys.get(key), nowKeys.get(key)];
      if (from !== to) changes.push(`${place} ${shownText(key, 100)}: ${describeChange(key, from, to)}`);
    }
  }
  if (changes.length <= MAX_CHANGES) return changes;
  return [...changes.slice(0, MAX_CHANGES - 1), `and ${changes.length - MAX_CHANGES + 1} more changes`];
}

/** The names of processes whose own section was added, removed or changed. A change in `[process.default]` does not count. */
export function changedProcesses(before: ConfigDocument, after: ConfigDocument): string[] {
  const [old, now] = [before.values(), after.values()];
  const text = (keys: ReadonlyMap<string, string> | undefined): string => JSON.stringify(keys && [...keys].sort());
  const isChanged = (name: string): boolean => text(old.get(`process.${name}`)) !== text(now.get(`process.${name}`));
  return [...new Set([...before.processNames(), ...after.processNames()])].filter(isChanged);
}

const MAX_CHANGES = 100;

function describeChange(key: string, from: string | undefined, to: string | undefined): string {
  const [shownFrom, shownTo] = [shown(from), shown(to)];
  if (isSecretKey(key) || isCommandKey(key) || shownFrom === shownTo) {
    return from === undefined ? 'set' : to === undefined ? 'removed' : 'changed';
  }
  return `${shownFrom} -> ${shownTo}`;
}

function shown(value: string | undefined): string {
  if (value === undefined) return '(not set)';
  return value === '' ? '(empty)' : shownText(value, 60);
}
