import { readFileSync, statSync } from 'node:fs';
import { parseAccounts } from './database.ts';

/**
 * Names of users and groups by their numbers: those of /etc/passwd and /etc/group, read again when they change, and those of the
 * system's other databases that somebody has asked for (learnAccountNames). Looking up never waits and never throws.
 */
export class AccountNames {
  readonly users: NameList;
  readonly groups: NameList;

  /** `folder` holds `passwd` and `group`: /etc. */
  constructor(folder = '/etc') {
    this.users = new NameList(`${folder}/passwd`);
    this.groups = new NameList(`${folder}/group`);
  }

  /** Looks whether the files have changed; before the first call nothing is known. */
  refresh(): void {
    this.users.refresh();
    this.groups.refresh();
  }
}

/** The names of one of these files, and what was remembered beside. */
export class NameList {
  readonly #path: string;
  #version = '';
  #listed: ReadonlyMap<number, string> = new Map();
  readonly #learnt = new Map<number, { readonly name: string | undefined; readonly untilMs: number }>();

  constructor(path: string) {
    this.#path = path;
  }

  name(id: number): string | undefined {
    return this.#listed.get(id) ?? this.#learnt.get(id)?.name;
  }

  refresh(): void {
    try {
      const { mtimeMs, ctimeMs, size, ino } = statSync(this.#path);
      const version = `${mtimeMs} ${ctimeMs} ${size} ${ino}`;
      if (version === this.#version) return;
      this.#listed = parseNames(readFileSync(this.#path, 'utf8'));
      this.#version = version;
    } catch {
      // While the file is being replaced what was known stays known.
    }
  }

  /** Those of the numbers, once each, that no file lists and nobody was asked for in the last ten minutes. */
  unknown(ids: Iterable<number>): number[] {
    const nowMs = performance.now();
    return [...new Set(ids)].filter((id) => !this.#listed.has(id) && !((this.#learnt.get(id)?.untilMs ?? 0) > nowMs));
  }

  /** What another database says of these numbers: a name, or none. */
  remember(ids: readonly number[], names: ReadonlyMap<number, string>): void {
    const nowMs = performance.now();
    for (const [id, { untilMs }] of this.#learnt) if (untilMs <= nowMs) this.#learnt.delete(id);
    for (const id of ids) this.#learnt.set(id, { name: names.get(id), untilMs: nowMs + KEPT_MS });
  }
}

const KEPT_MS = 600_000;

/** Names by number, from the text of passwd(5) or group(5); if two lines have one number the first counts. */
export function parseNames(text: string): Map<number, string> {
  // Of two entries with one key a Map keeps the last.
  return new Map(
    parseAccounts(text)
      .toReversed()
      .map(({ id, name }) => [id, name]),
  );
}

/** A user for people, as /etc/passwd has it: `user nobody (65534)`, `user 1000` where it has no name. */
export function userWords(uid: number): string {
  return words('user', uid, ({ users }) => users);
}

/** A group for people, as /etc/group has it: `group staff (50)`, `group 1000` where it has no name. */
export function groupWords(gid: number): string {
  return words('group', gid, ({ groups }) => groups);
}

function words(what: string, id: number, listOf: (accounts: AccountNames) => NameList): string {
  const accounts = new AccountNames();
  accounts.refresh();
  const name = listOf(accounts).name(id);
  return name === undefined ? `${what} ${id}` : `${what} ${name} (${id})`;
}
