// The check of the type `log`: no new lines match what must not be there.
import { isAbsolute } from 'node:path';
import { shownText } from '../../../config/shown-value.ts';
import type { Clock } from '../../../core/clock.ts';
import type { SectionReader } from '../../../core/config.ts';
import { sendable } from '../../../probes/expected-text.ts';
import { parseBody } from '../../../probes/http-options.ts';
import type { AsksWorker } from '../../../probes/worker/client.ts';
import type { CheckTarget, CheckType, Reading } from '../check.ts';
import { readingOf } from './away.ts';
import { LogFile } from './log/file.ts';
import { UnitJournal } from './log/journal.ts';
import type { LogSource } from './log/source.ts';
import { parseUnit } from './unit-name.ts';

/** The keys of `type = log`. */
interface LogOptions {
  /** `path`, absolute, or `journal`: the complete name of a unit. */
  readonly from: { readonly path: string } | { readonly unit: string };
  /** `pattern`. */
  readonly pattern: { readonly source: string; readonly flags: string };
  /** `max`: how many new lines may match from one look to the next; default 0. */
  readonly most: number;
}

/** `[check.NAME]` with `type = log`. Each line is looked at once; lines that match are an event. They are matched in the worker. */
export const logCheck: CheckType<LogOptions> = {
  keys: ['path', 'journal', 'pattern', 'max'],
  parse,
  create: ({ from, pattern, most }, _check, { files, services, clock, worker }) => {
    const source =
      'path' in from ? new LogFile(from.path, files, () => clock.monotonicMs()) : new UnitJournal(from.unit, services, clock);
    return new LogTarget(source, { pattern, most }, worker, clock);
  },
};

function parse(section: SectionReader): LogOptions | undefined {
  const path = section.text('path');
  const unit = section.text('journal') === undefined ? undefined : parseUnit(section, 'journal', '');
  const wanted = sendable(parseBody(section, 'pattern'));
  const most = section.text('max') === undefined ? 0 : section.integer('max', { default: 0, min: 0, max: 1_000_000 });
  if (path === undefined && section.text('journal') === undefined)
    section.refuse('path', 'is missing: type = log needs a path or journal = UNIT');
  if (path !== undefined && section.text('journal') !== undefined)
    section.refuse('journal', 'path is set too: only one of them can be');
  if (path !== undefined && !isAbsolute(path)) {
    section.refuse('path', `invalid value "${shownText(path, LONGEST_SHOWN)}", expected an absolute path`);
    return undefined;
  }
  if (section.text('pattern') === undefined) section.refuse('pattern', 'is missing: type = log needs a pattern, /EXPRESSION/');
  else if (wanted?.kind === 'text') section.refuse('pattern', 'invalid value, expected /EXPRESSION/');
  if (wanted?.kind !== 'expression' || (path === undefined && unit === undefined)) return undefined;
  const { source, flags } = wanted;
  return { from: path === undefined ? { unit: unit ?? '' } : { path }, pattern: { source, flags }, most };
}

class LogTarget implements CheckTarget {
  readonly description: string;
  readonly #source: LogSource;
  readonly #what: Pick<LogOptions, 'pattern' | 'most'>;
  readonly #worker: AsksWorker;
  readonly #clock: Clock;

  constructor(source: LogSource, what: Pick<LogOptions, 'pattern' | 'most'>, worker: AsksWorker, clock: Clock) {
    this.description = source.description;
    this.#source = source;
    this.#what = what;
    this.#worker = worker;
    this.#clock = clock;
  }

  async look(timeoutMs: number, signal: AbortSignal, isAside = false): Promise<Reading> {
    const endMs = this.#clock.monotonicMs() + timeoutMs;
    const lines = await this.#source.read(timeoutMs, signal);
    if (lines.kind === 'unknown') return lines;
    const keep = (): void => {
      if (!isAside) lines.keep();
    };
    if (lines.text === '') {
      keep();
      return { kind: 'ok' };
    }
    const leftMs = Math.max(endMs - this.#clock.monotonicMs(), 1);
    const answer = await this.#worker.ask({ type: 'lines', text: lines.text, ...this.#what }, leftMs, signal);
    // What nobody has matched is new for the next look.
    if (answer.kind !== 'away') keep();
    const reading = readingOf(answer, 0);
    return reading.kind === 'failing' ? { ...reading, isEvent: true } : reading;
  }
}

const LONGEST_SHOWN = 60;
