// New lines of a log file, however it is rotated.
import { dirname, normalize } from 'node:path';
import { quoted } from '../../../../core/text/printable.ts';
import { type FileHelpers, helperPath } from '../../../../system/helpers/file-helpers.ts';
import { cutLines, type LogSource, MOST_READ, type NewLines } from './source.ts';

/** How far a file was read. */
interface Position {
  /** `DEVICE:INODE`; empty: there was no file. */
  readonly file: string;
  readonly offset: number;
  /** The last bytes before it, at most 64: if they are others, the file was rewritten in its place. */
  readonly before: Buffer;
}

/** A file as it was read from some place on. */
interface Piece {
  readonly file: string;
  readonly size: number;
  readonly bytes: Buffer;
}

type Unknown = { readonly kind: 'unknown'; readonly reason: string };
type Read = { readonly kind: 'piece'; readonly piece: Piece } | { readonly kind: 'none' } | Unknown;
type ReadPiece = (path: string, from: number, most: number) => Promise<Read>;

/**
 * Reads what is new by device, inode and offset: a file that was renamed is read to its end, if it is still in the same folder, and then
 * the new one from its beginning; one that was truncated or copied and truncated is read from its beginning.
 */
export class LogFile implements LogSource {
  readonly description: string;
  readonly #path: string;
  readonly #files: FileHelpers;
  readonly #nowMs: () => number;
  #position: Position | undefined;

  constructor(path: string, files: FileHelpers, nowMs: () => number) {
    this.description = `log ${quoted(path)}`;
    this.#path = normalize(path);
    this.#files = files;
    this.#nowMs = nowMs;
  }

  async read(timeoutMs: number, signal: AbortSignal): Promise<NewLines> {
    const endMs = this.#nowMs() + timeoutMs;
    const read: ReadPiece = (path, from, most) => this.#read(path, from, most, Math.max(endMs - this.#nowMs(), 1), signal);
    const position = this.#position;
    const known = position?.before.length ?? 0;
    const from = position === undefined ? 0 : position.offset - known;
    const first = await read(this.#path, from, position === undefined ? 0 : MOST_READ + known);
    if (first.kind === 'unknown') return first;
    if (first.kind === 'none') {
      // Between the renaming of a file and the creation of the next nothing is lost: it is found by its inode then.
      this.#position ??= NOWHERE;
      return { kind: 'unknown', reason: `${quoted(this.#path)} does not exist` };
    }
    const { piece } = first;
    if (position === undefined) return this.#lines('', { ...NOWHERE, file: piece.file, offset: piece.size }, Buffer.alloc(0));
    if (piece.size - position.offset > MOST_BEHIND && piece.file === position.file) {
      this.#position = { ...NOWHERE, file: piece.file, offset: piece.size };
      return { kind: 'unknown', reason: `more than ${MOST_BEHIND / MOST_READ} MiB are new: what was in between is not read` };
    }
    if (isContinued(piece, position)) return this.#lines('', position, piece.bytes.subarray(position.before.length));
    const rest = piece.file === position.file ? '' : await this.#restOf(position, read, signal);
    if (typeof rest !== 'string') return rest;
    const start = await read(this.#path, 0, MOST_READ - Buffer.byteLength(rest));
    if (start.kind === 'unknown') return start;
    if (start.kind === 'none') return this.#lines(rest, { ...NOWHERE, file: '' }, Buffer.alloc(0));
    return this.#lines(rest, { ...NOWHERE, file: start.piece.file }, start.piece.bytes);
  }

  /** `bytes`: what is new from `position` on; `earlier`: what was before them, in another file. */
  #lines(earlier: string, position: Position, bytes: Buffer): NewLines {
    const end = bytes.lastIndexOf(LINE_FEED) + 1;
    // A line of more than all that is read at once would never end.
    const whole = end === 0 && bytes.length >= MOST_READ ? bytes : bytes.subarray(0, end);
    const before = Buffer.concat([position.before, whole.subarray(-MOST_BEFORE)]).subarray(-MOST_BEFORE);
    const next = { file: position.file, offset: position.offset + whole.length, before };
    const keep = (): void => {
      this.#position = next;
    };
    const text = cutLines(earlier + whole.toString('utf8'));
    return { kind: 'read', text, keep };
  }

  /** What is left of a file that was renamed; '' if it is not in the folder any more. */
  async #restOf({ file, offset }: Position, read: ReadPiece, signal: AbortSignal): Promise<string | Unknown> {
    const inode = file.split(':')[1];
    if (inode === undefined) return '';
    const folder = dirname(this.#path);
    const argv = ['find', helperPath(folder), '-maxdepth', '1', '-type', 'f', '-inum', inode, '-printf', '%f\\0'] as const;
    const answer = await this.#files.run({ argv, path: folder, reads: 'part' }, FIND_MS, signal);
    if (answer.kind === 'unknown') return answer;
    const [name = ''] = answer.output.split('\0', 1);
    if (name === '') return '';
    const old = await read(`${folder}/${name}`, offset, MOST_READ / 2);
    if (old.kind === 'unknown') return old;
    return old.kind === 'piece' && old.piece.file === file ? endedLine(old.piece.bytes.toString('utf8')) : '';
  }

  async #read(path: string, from: number, most: number, timeoutMs: number, signal: AbortSignal): Promise<Read> {
    const chunks: Buffer[] = [];
    const take = (chunk: Buffer): boolean => chunks.push(chunk) > 0;
    const argv = ['sh', '-c', SCRIPT, 'sh', helperPath(path), String(from + 1), String(Math.max(most, 0)), path] as const;
    const answer = await this.#files.run({ argv, path, reads: 'part', take }, timeoutMs, signal);
    if (answer.kind === 'unknown') return answer;
    if (answer.exitCode === NO_FILE) return { kind: 'none' };
    if (answer.exitCode === FOREIGN_LINK)
      return {
        kind: 'unknown',
        reason: `${quoted(path)} is reached through a link, and not everybody may read it (name the file itself)`,
      };
    if (answer.exitCode === NOT_REGULAR) return { kind: 'unknown', reason: `${quoted(path)} is not a regular file` };
    const bytes = Buffer.concat(chunks);
    const end = bytes.indexOf(LINE_FEED);
    const [, file, size] = /^(\d+:\d+) (\d+)$/.exec(bytes.subarray(0, Math.max(end, 0)).toString('latin1')) ?? [];
    if (answer.exitCode !== 0 || file === undefined) return { kind: 'unknown', reason: `${quoted(path)} cannot be read` };
    return { kind: 'piece', piece: { file, size: Number(size), bytes: bytes.subarray(end + 1) } };
  }
}

/** True if the file is the one that was read, and what was read of it is still there. */
function isContinued({ file, size, bytes }: Piece, position: Position): boolean {
  const { before, offset } = position;
  return file === position.file && size >= offset && bytes.subarray(0, before.length).equals(before);
}

function endedLine(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

const NOWHERE: Position = { file: '', offset: 0, before: Buffer.alloc(0) };
const LINE_FEED = 10;
const MOST_BEFORE = 64;
/** Who falls behind by more will not catch up. */
const MOST_BEHIND = 64 * MOST_READ;
const FIND_MS = 2000;
const [FOREIGN_LINK, NOT_REGULAR, NO_FILE] = [7, 8, 9];
/**
 * Opens the file once, so that what stat(1) says is about what is read. Its arguments are the path, the number of the first byte, how many,
 * and the path without links. Only a regular file is opened: a FIFO would wait for a writer. What a link leads to may be a file that only
 * root may read, and the link anybody's: then everybody has to be allowed to read it.
 */
const SCRIPT = `
[ -e "$1" ] || exit ${NO_FILE}
[ -f "$1" ] || exit ${NOT_REGULAR}
exec < "$1" || exit
[ "$(readlink /proc/self/fd/0)" = "$4" ] || case $(stat --dereference --format=%a -) in *[4-7]) ;; *) exit ${FOREIGN_LINK} ;; esac
stat --dereference --printf='%d:%i %s\\n' - || exit
tail -c "+$2" | head -c "$3"`;
