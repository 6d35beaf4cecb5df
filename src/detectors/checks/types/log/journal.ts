// New messages of a unit in the journal.
import type { Clock } from '../../../../core/clock.ts';
import { printable } from '../../../../core/text/printable.ts';
import { execute } from '../../../../system/spawn/command.ts';
import type { ServiceManager } from '../../../../system/systemd/service-manager.ts';
import { cutLines, type LogSource, MOST_READ, type NewLines } from './source.ts';

/** Reads them with journalctl(1), each once. */
export class UnitJournal implements LogSource {
  readonly description: string;
  readonly #unit: string;
  readonly #services: Pick<ServiceManager, 'show'>;
  readonly #clock: Clock;
  /** Behind what is new: the journal's own mark of an entry, or the time of the first reading if there was none before. */
  #after: { readonly cursor: string } | { readonly since: Date } | undefined;

  constructor(unit: string, services: Pick<ServiceManager, 'show'>, clock: Clock) {
    this.description = `journal of ${unit}`;
    this.#unit = unit;
    this.#services = services;
    this.#clock = clock;
  }

  async read(timeoutMs: number, signal: AbortSignal): Promise<NewLines> {
    const after = this.#after;
    const from =
      after === undefined ? ['--lines=1'] : ['cursor' in after ? `--after-cursor=${after.cursor}` : sinceOption(after.since)];
    const begunAt = this.#clock.date();
    const entries = await this.#entries(from, timeoutMs, signal);
    if (entries.kind === 'unknown') return entries;
    const cursor = entries.list.at(-1)?.cursor;
    const hasNone = cursor === undefined && !(after !== undefined && 'cursor' in after);
    if (hasNone && (await this.#isMissing(signal)))
      return { kind: 'unknown', reason: `there is no unit ${this.#unit}, and no message of it in the journal` };
    const next = cursor === undefined ? (after ?? { since: begunAt }) : { cursor };
    const lines = after === undefined ? [] : entries.list.map(({ message }) => `${message}\n`);
    const keep = (): void => {
      this.#after = next;
    };
    return { kind: 'read', text: cutLines(lines.join('')), keep };
  }

  /** True if systemd says that there is no such unit: its name may be mistyped. */
  async #isMissing(signal: AbortSignal): Promise<boolean> {
    const shown = await this.#services.show(this.#unit, signal);
    return shown.kind !== 'failed' && shown.status.loadState === 'not-found';
  }

  async #entries(from: readonly string[], timeoutMs: number, signal: AbortSignal): Promise<Entries> {
    const chunks: Buffer[] = [];
    let length = 0;
    const take = (chunk: Buffer): boolean => {
      chunks.push(chunk);
      length += chunk.length;
      return length < MOST_READ;
    };
    const argv = ['--no-pager', '--output=json', '--output-fields=MESSAGE', `--unit=${this.#unit}`, ...from];
    const result = await execute('journalctl', argv, { timeoutMs, signal, take, environment: { LC_ALL: 'C' } });
    const isCut = length >= MOST_READ;
    if (!isCut && !(result.kind === 'exited' && result.exitCode === 0)) {
      const why = result.kind === 'not_started' ? result.reason : printable(result.output.trim().slice(-LONGEST_FAULT));
      return { kind: 'unknown', reason: `the journal cannot be read: ${why === '' ? result.kind : why}` };
    }
    const lines = Buffer.concat(chunks).toString('utf8').split('\n');
    // The last one may be cut, and is read again then; else it is empty.
    lines.pop();
    const list = lines.flatMap(entryOf);
    // Without an entry, none of them can have written that.
    if (list.length === 0 && result.kind === 'exited' && result.output.includes('No journal files were found'))
      return { kind: 'unknown', reason: 'the machine has no journal' };
    return { kind: 'read', list };
  }
}

interface Entry {
  readonly cursor: string;
  readonly message: string;
}

type Entries =
  | { readonly kind: 'read'; readonly list: readonly Entry[] }
  | { readonly kind: 'unknown'; readonly reason: string };

/** An entry as journalctl prints it; [] if it is something else. */
function entryOf(line: string): Entry[] {
  try {
    const { __CURSOR: cursor, MESSAGE: message }: Record<string, unknown> = JSON.parse(line);
    if (typeof cursor !== 'string' || !/^[\w=;]{1,300}$/.test(cursor)) return [];
    // Bytes that are not UTF-8; null if it is too long to be shown.
    const text = Array.isArray(message) ? Buffer.from(message).toString('utf8') : String(message ?? '');
    return [{ cursor, message: text.replaceAll('\n', ' ') }];
  } catch {
    return [];
  }
}

function sinceOption(date: Date): string {
  return `--since=@${Math.floor(date.getTime() / 1000)}`;
}

const LONGEST_FAULT = 200;
