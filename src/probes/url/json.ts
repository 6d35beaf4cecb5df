// What a value in a JSON answer must be: `status = ok`, `length(items) > 3`, `exists(data.id)`.

/** One condition. */
export interface JsonExpectation {
  readonly what: 'value' | 'length' | 'exists';
  /** The names from the outermost value on; a number is a place in a list. */
  readonly path: readonly string[];
  readonly operator: Operator;
  readonly value: string;
  /** As the operator wrote it. */
  readonly text: string;
}

type Operator = '=' | '!=' | '<' | '>';

/** Parses a condition, or says in one line what is wrong with it. */
export function parseJsonExpectation(
  text: string,
): { readonly kind: 'parsed'; readonly expectation: JsonExpectation } | { readonly kind: 'flawed'; readonly problem: string } {
  const flawed = (problem: string) => ({ kind: 'flawed', problem }) as const;
  const [, call, inside, plain, operator, value = ''] =
    /^\s*(?:(length|exists)\(\s*([^()]*?)\s*\)|([^=!<>()]*?))\s*(?:(!=|=|<|>)\s*(.*?))?\s*$/.exec(text) ?? [];
  const what = call === 'length' || call === 'exists' ? call : 'value';
  const place = inside ?? plain ?? '';
  const path = place === '' ? [] : place.split('.');
  if (path.includes('') || (path.length === 0 && what !== 'length')) return flawed('the path is NAME.NAME, with no empty name');
  if (path.length > MOST_DEPTH) return flawed(`the path has more than ${MOST_DEPTH} names`);
  const made = (as: Operator, expected: string) =>
    ({ kind: 'parsed', expectation: { what, path, operator: as, value: expected, text: text.trim() } }) as const;
  if (what === 'exists') {
    if (operator === undefined) return made('=', 'true');
    return operator === '=' && (value === 'true' || value === 'false')
      ? made('=', value)
      : flawed('exists(PATH) is alone, or followed by = true or = false');
  }
  // `==` and `>=` of other languages.
  if (!isOperator(operator) || value.startsWith('=')) return flawed('expected PATH, one of = != < >, and a value');
  if (path.some((part) => /^\$|[[\]]/.test(part)))
    return flawed('the path is NAME.NAME; a number is a place in a list (items.0)');
  const isOrder = operator === '<' || operator === '>';
  if ((what === 'length' || isOrder) && !isNumber(value)) return flawed(`${operator} needs a number`);
  return made(operator, value);
}

const MOST_DEPTH = 20;

function isOperator(text: string | undefined): text is Operator {
  return text === '=' || text === '!=' || text === '<' || text === '>';
}

/** Why the answer is not as expected, in the words of the operator only; undefined if it is. `answer` is parsed JSON. */
export function jsonFault(answer: unknown, expectation: JsonExpectation): string | undefined {
  const { what, path, text } = expectation;
  const found = find(answer, path);
  if (what === 'exists') return (found !== undefined) === (expectation.value === 'true') ? undefined : unmet(text);
  if (found === undefined) return `${unmet(text)}: there is no such value`;
  const value = what === 'length' ? lengthOf(found.value) : found.value;
  if (value === undefined) return `${unmet(text)}: it has no length`;
  return holds(value, expectation) ? undefined : unmet(text);
}

function unmet(text: string): string {
  return `the JSON of the answer does not meet ${text}`;
}

/** Own properties only: a path cannot lead into what JavaScript itself gives to a value. */
function find(answer: unknown, path: readonly string[]): { readonly value: unknown } | undefined {
  let value = answer;
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    // A list has a length of its own, which is not in the JSON.
    if (Array.isArray(value) && !/^\d+$/.test(name)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  return { value };
}

function lengthOf(value: unknown): number | undefined {
  if (typeof value === 'string' || Array.isArray(value)) return value.length;
  return typeof value === 'object' && value !== null ? Object.keys(value).length : undefined;
}

function holds(value: unknown, { operator, value: expected }: JsonExpectation): boolean {
  switch (operator) {
    case '=':
      return equals(value, expected);
    case '!=':
      return !equals(value, expected);
    case '<':
      return typeof value === 'number' && value < Number(expected);
    case '>':
      return typeof value === 'number' && value > Number(expected);
    default:
      return operator satisfies never;
  }
}

/** A list or an object equals nothing. In quotes it can only be a text. */
function equals(value: unknown, expected: string): boolean {
  const inQuotes = /^"(.*)"$/s.exec(expected)?.[1];
  if (typeof value === 'string') return value === (inQuotes ?? expected);
  if (inQuotes !== undefined) return false;
  if (typeof value === 'number') return isNumber(expected) && value === Number(expected);
  return (typeof value === 'boolean' || value === null) && String(value) === expected;
}

function isNumber(text: string): boolean {
  return /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(text);
}
