/** One complete D-Bus type. A signature is a list of them. Source: D-Bus specification, "Type system". */
export type DbusType =
  | { readonly code: BasicCode }
  | { readonly code: 'v' }
  | { readonly code: 'a'; readonly of: DbusType }
  | { readonly code: '('; readonly fields: readonly DbusType[] }
  /** A key and its value. Occurs only within an array. */
  | { readonly code: '{'; readonly fields: readonly DbusType[] };

/** byte, boolean, int16, uint16, int32, uint32, int64, uint64, double, string, object path, signature, descriptor. */
type BasicCode = (typeof BASIC)[number];

const BASIC = ['y', 'b', 'n', 'q', 'i', 'u', 'x', 't', 'd', 's', 'o', 'g', 'h'] as const;

/** Bytes that break the protocol. The connection that they came from is unusable. */
export class WireError extends Error {
  override readonly name = 'WireError';
}

/** Parses a signature into its types. Throws WireError if the text is not a signature. */
export function parseSignature(text: string): readonly DbusType[] {
  const known = parsed.get(text);
  if (known !== undefined) return known;
  const types = parseTypes(text);
  // Every header needs the same few signatures, but others may send us as many as they like.
  if (parsed.size >= MAX_KEPT) parsed.clear();
  parsed.set(text, types);
  return types;
}

/** The signatures that were parsed before. */
const parsed = new Map<string, readonly DbusType[]>();
const MAX_KEPT = 64;

function parseTypes(text: string): DbusType[] {
  if (text.length > MAX_LENGTH) throw new WireError('a signature is too long');
  const types: DbusType[] = [];
  for (let at = 0; at < text.length; ) {
    const [type, next] = parseType(text, at, 0);
    types.push(type);
    at = next;
  }
  return types;
}

const MAX_LENGTH = 255;
/** Arrays and structures may be nested 32 deep each. */
const MAX_DEPTH = 64;

/** Returns the type that begins at `at`, and the index of the next one. */
function parseType(text: string, at: number, depth: number): readonly [type: DbusType, next: number] {
  const code = text[at] ?? '';
  if (depth > MAX_DEPTH) throw new WireError('a signature is nested too deep');
  if (isBasic(code) || code === 'v') return [{ code }, at + 1];
  switch (code) {
    case 'a': {
      if (text[at + 1] === '{') return parseDictionary(text, at, depth);
      const [of, next] = parseType(text, at + 1, depth + 1);
      return [{ code, of }, next];
    }
    case '(': {
      const [fields, next] = parseFields(text, at + 1, ')', depth);
      return [{ code, fields }, next];
    }
    default:
      throw new WireError(`no D-Bus type begins with ${JSON.stringify(code)}`);
  }
}

function parseDictionary(text: string, at: number, depth: number): readonly [type: DbusType, next: number] {
  const [fields, next] = parseFields(text, at + 2, '}', depth + 1);
  if (fields.length !== 2 || !isBasic(fields[0]?.code ?? ''))
    throw new WireError('expected a dictionary entry of a basic key and a value');
  return [{ code: 'a', of: { code: '{', fields } }, next];
}

function parseFields(text: string, from: number, end: string, depth: number): readonly [fields: DbusType[], next: number] {
  const fields: DbusType[] = [];
  let at = from;
  while (text[at] !== end) {
    const [field, next] = parseType(text, at, depth + 1);
    fields.push(field);
    at = next;
  }
  if (fields.length === 0) throw new WireError('a structure has no fields');
  return [fields, at + 1];
}

function isBasic(code: string): code is BasicCode {
  return (BASIC as readonly string[]).includes(code);
}

/** Returns the number of bytes whose multiple a value of this type begins at. */
export function alignmentOf({ code }: DbusType): 1 | 2 | 4 | 8 {
  switch (code) {
    case 'y':
    case 'g':
    case 'v':
      return 1;
    case 'n':
    case 'q':
      return 2;
    case 'b':
    case 'i':
    case 'u':
    case 's':
    case 'o':
    case 'h':
    case 'a':
      return 4;
    case 'x':
    case 't':
    case 'd':
    case '(':
    case '{':
      return 8;
    default:
      return code satisfies never;
  }
}
