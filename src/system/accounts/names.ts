import { readFileSync, statSync } from 'node:fs';
import { parseAccounts } from './database.ts';

/**
 * Names of users and groups by their numbers: those of /etc/passwd and /etc/group, which are read again when they change, and
 * those of the system's other databases that learnAccountNames has asked for. A look-up never waits and never throws.
 */
export class AccountNames {
  readonly users: NameList;
  readonly groups: NameList;

  /** `folder` contains `passwd` and `group`; default /etc. */
  constructor(folder = '/etc') {
    this.users = new NameList(`${folder}/passwd`);
    this.groups = new NameList(`${folder}/group`);
  }

  /** Reads the files again if they have changed. Before the first call no name is known. */
  refresh(): void {
    this.users.refresh();
    this.groups.refresh();
  }
}

/** The names of one of these files, and those that were learnt from other databases. */
export class NameList {
  readonly #path: string;
  #version = '';
  #listed: ReadonlyMap<number, string> = new Map();
  readonly #learned = new Map<number, { readonly name: string | undefined; readonly untilMs: number }>();

  constructor(path: string) {
    this.#path = path;
  }

  name(id: number): string | undefined {
    return this.#listed.get(id) ?? this.#learned.get(id)?.name;
  }

  refresh(): void {
    try {
      const { mtimeMs, ctimeMs, size, ino } = statSync(this.#path);
      const version = `${mtimeMs} ${ctimeMs} ${size} ${ino}`;
      if (version === this.#version) return;
      this.#listed = parseNames(readFileSync(this.#path, 'utf8'));
      this.#version = version;
    } catch {
      // While the file is being replaced the known names stay valid.
    }
  }

  /**
   * Those of the numbers, each once, that the file does not list and that no database was asked for in the last ten minutes.
   */
  unknown(ids: Iterable<number>): number[] {
    const nowMs = performance.now();
    return [...new Set(ids)].filter((id) => !this.#listed.has(id) && !((this.#learned.get(id)?.untilMs ?? 0) > nowMs));
  }

  /** Stores what another database says about these numbers: a name, or that there is none. */
  remember(ids: readonly number[], names: ReadonlyMap<number, string>): void {
    const nowMs = performance.now();
    for (const [id, { untilMs }] of this.#learned) if (untilMs <= nowMs) this.#learned.delete(id);
    for (const id of ids) this.#learned.set(id, { name: names.get(id), untilMs: nowMs + REMEMBERED_MS });
  }
}

const REMEMBERED_MS = 600_000;

/** Names by number, from the text of passwd(5) or group(5); if two lines have the same number, the first one counts. */
export function parseNames(text: string): Map<number, string> {
  // If two entries have the same key, a Map keeps the last.
  return new Map(
    parseAccounts(text)
      .toReversed()
      .map(({ id, name }) => [id, name]),
  );
}

/** A user for people, as in /etc/passwd: `user nobody (65534)`, or `user 1000` if it has no name. */
export function userWords(uid: number): string {
  return words('user', uid, ({ users }) => users);
}

/** A group for people, as in /etc/group: `group staff (50)`, or `group 1000` if it has no name. */
export function groupWords(gid: number): string {
  return words('group', gid, ({ groups }) => groups);
}

function words(what: string, id: number, listOf: (accounts: AccountNames) => NameList): string {
  const accounts = new AccountNames();
  accounts.refresh();
  const name = listOf(accounts).name(id);
  return name === undefined ? `${what} ${id}` : `${what} ${name} (${id})`;
}
