// The check of the type `file`: a file is there, and is as it has to be.
import { isAbsolute } from 'node:path';
import { shownText } from '../../../config/shown-value.ts';
import type { Clock } from '../../../core/clock.ts';
import type { SectionReader } from '../../../core/config.ts';
import { parseBytes } from '../../../core/text/bytes.ts';
import { quoted } from '../../../core/text/printable.ts';
import { type FileHelpers, helperPath } from '../../../system/helpers/file-helpers.ts';
import type { CheckTarget, CheckType, Reading } from '../check.ts';
import { type FileFacts, type FileOptions, faultsOf, parseFacts, STAT_FORMAT } from './file/facts.ts';

/**
 * `[check.NAME]` with `type = file`. Symbolic links are followed. It is looked at in a helper process: its filesystem may not answer.
 */
export const fileCheck: CheckType<FileOptions> = {
  keys: ['path', 'exists', 'changed', 'max_age', 'min_size', 'max_size', 'sha256', 'mode', 'owner'],
  parse,
  create: (options, _check, { files, clock }) => new FileTarget(options, files, clock),
};

function parse(section: SectionReader): FileOptions | undefined {
  const path = section.text('path');
  if (path === undefined) section.refuse('path', 'is missing: type = file needs a path');
  else if (!isAbsolute(path))
    section.refuse('path', `invalid value "${shownText(path, LONGEST_SHOWN)}", expected an absolute path`);
  const matching = (key: string, form: RegExp, expected: string): string | undefined => {
    const text = section.text(key);
    if (text === undefined || form.test(text)) return text;
    section.problem(key, `invalid value "${shownText(text, LONGEST_SHOWN)}", expected ${expected}`);
    return undefined;
  };
  const size = (key: string): number | undefined => {
    const text = section.text(key);
    const bytes = text === undefined ? undefined : parseBytes(text);
    if (text !== undefined && bytes === undefined)
      section.problem(key, `invalid value "${shownText(text, LONGEST_SHOWN)}", expected bytes, such as 0, 64K, 512M or 1.5G`);
    return bytes;
  };
  const options = {
    exists: section.boolean('exists', true),
    changed: section.boolean('changed', false),
    maxAgeMs: section.text('max_age') === undefined ? undefined : section.secondsAsMs('max_age', { default: 0 }),
    minSize: size('min_size'),
    maxSize: size('max_size'),
    sha256: matching('sha256', /^[0-9a-f]{64}$/i, '64 hexadecimal digits')?.toLowerCase(),
    mode: matching('mode', /^0?[0-7]{3,4}$/, 'an octal number, such as 0644')?.replace(/^0+(?=\d)/, ''),
    owner: matching('owner', /^[^:\s]+(?::[^:\s]+)?$/, 'USER or USER:GROUP'),
  };
  const { minSize = 0, maxSize = Number.POSITIVE_INFINITY } = options;
  if (minSize > maxSize)
    section.problem(
      'max_size',
      `invalid value "${section.text('max_size')}", expected at least min_size (${section.text('min_size')})`,
    );
  if (!options.exists)
    for (const key of ['changed', 'max_age', 'min_size', 'max_size', 'sha256', 'mode', 'owner'])
      if (section.text(key) !== undefined) section.warning(key, 'has no effect with exists = false');
  return path === undefined || !isAbsolute(path) ? undefined : { path, ...options };
}

class FileTarget implements CheckTarget {
  readonly description: string;
  readonly #options: FileOptions;
  readonly #files: FileHelpers;
  readonly #clock: Clock;
  /** What the last look found, as far as `changed` is about it; undefined before the first. */
  #before: string | undefined;

  constructor(options: FileOptions, files: FileHelpers, clock: Clock) {
    this.description = `file ${quoted(options.path)}`;
    this.#options = options;
    this.#files = files;
    this.#clock = clock;
  }

  async look(timeoutMs: number, signal: AbortSignal, isAside = false): Promise<Reading> {
    const { path, exists } = this.#options;
    const facts = await this.#facts(timeoutMs, signal);
    if (facts.kind === 'unknown') return facts;
    const isThere = facts.kind === 'found';
    if (isThere !== exists)
      return failing(`${quoted(path)} ${exists ? 'does not exist' : 'exists (expected that it does not)'}`);
    if (!isThere) return { kind: 'ok' };
    const faults = faultsOf(this.#options, facts.facts, this.#clock.date());
    const changed = this.#options.changed ? this.#change(facts.facts, isAside) : undefined;
    const reasons = [...(changed === undefined ? [] : [changed]), ...faults];
    if (reasons.length === 0) return { kind: 'ok' };
    return failing(`${quoted(path)} ${reasons.join('; ')}`, changed !== undefined);
  }

  /** What has changed since the look before; undefined if nothing has. */
  #change({ sha256 = '', mode, uid, gid }: FileFacts, isAside: boolean): string | undefined {
    const before = this.#before?.split(' ');
    const now = [sha256, mode, `${uid}:${gid}`];
    if (!isAside) this.#before = now.join(' ');
    const changed = ['content', 'mode', 'owner'].filter((_, i) => before !== undefined && before[i] !== now[i]);
    return changed.length === 0 ? undefined : `has changed: ${changed.join(', ')}`;
  }

  async #facts(timeoutMs: number, signal: AbortSignal): Promise<Found> {
    const endMs = this.#clock.monotonicMs() + timeoutMs;
    const stat = await this.#run(['stat', '--dereference', `--printf=${STAT_FORMAT}`], timeoutMs, signal);
    if (stat.kind !== 'said') return stat;
    const facts = parseFacts(stat.output);
    if (facts === undefined) return this.#unknown();
    const { changed, sha256 } = this.#options;
    if (!changed && sha256 === undefined) return { kind: 'found', facts };
    // The content of anything else may not end.
    if (!facts.isRegular) return { kind: 'unknown', reason: `${quoted(this.#options.path)} is not a regular file` };
    const sum = await this.#run(['sha256sum', '--binary'], Math.max(endMs - this.#clock.monotonicMs(), 1), signal, 'whole');
    if (sum.kind !== 'said') return sum;
    const digest = /^\\?([0-9a-f]{64}) /.exec(sum.output)?.[1];
    return digest === undefined ? this.#unknown() : { kind: 'found', facts: { ...facts, sha256: digest } };
  }

  async #run(program: readonly [string, ...string[]], timeoutMs: number, signal: AbortSignal, reads?: 'whole'): Promise<Said> {
    const { path } = this.#options;
    const task = { argv: [...program, '--', helperPath(path)] as const, path, ...(reads && { reads }) };
    const answer = await this.#files.run(task, timeoutMs, signal);
    if (answer.kind === 'unknown') return answer;
    if (answer.exitCode === 0) return { kind: 'said', output: answer.output };
    return /: (?:No such file or directory|Not a directory)\s*$/.test(answer.output) ? { kind: 'none' } : this.#unknown();
  }

  #unknown(): { readonly kind: 'unknown'; readonly reason: string } {
    return { kind: 'unknown', reason: `${quoted(this.#options.path)} cannot be read` };
  }
}

type NotFound = { readonly kind: 'none' } | { readonly kind: 'unknown'; readonly reason: string };
type Said = NotFound | { readonly kind: 'said'; readonly output: string };
type Found = NotFound | { readonly kind: 'found'; readonly facts: FileFacts };

function failing(reason: string, isEvent = false): Reading {
  return isEvent ? { kind: 'failing', reason, isEvent } : { kind: 'failing', reason };
}

const LONGEST_SHOWN = 60;
