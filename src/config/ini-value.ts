// Reads the value of an INI entry by its kind: command, secret or plain value.
/** The text of a raw value, and a remark if the operator may have meant something else. */
interface IniValue {
  readonly text: string;
  /** A likely mistake, for a warning; undefined if there is none. Never contains the value. */
  readonly remark: string | undefined;
}

/**
 * How a value is read, as the parser of its key declares it. `command`: a line for a shell, verbatim; `secret`: a password,
 * verbatim, and never shown; `plain`: anything else.
 */
export type ValueKind = 'plain' | 'command' | 'secret';

/** The value of a key of that kind. */
export function readValue(kind: ValueKind, raw: string): IniValue {
  switch (kind) {
    case 'command':
      return commandValue(raw);
    case 'secret':
      return secretValue(raw);
    case 'plain':
      return plainValue(raw);
    default:
      return kind satisfies never;
  }
}

/**
 * The value of a command: from its first non-blank character to the end of the line, including `;`, `#`, `=` and quotes,
 * because the shell reads it and knows comments. A value that is only a comment is empty, so that it is not taken for a command
 * that succeeds.
 */
function commandValue(raw: string): IniValue {
  const text = raw.trimStart();
  if (text === '' || text.startsWith('#')) return { text: '', remark: undefined };
  return {
    text,
    remark: isOneQuotedPhrase(text.trimEnd()) ? 'is quoted as a whole: the shell reads it as one word' : undefined,
  };
}

function isOneQuotedPhrase(text: string): boolean {
  const quote = text.charAt(0);
  return (quote === '"' || quote === "'") && text.length > 1 && text.indexOf(quote, 1) === text.length - 1 && /\s/.test(text);
}

/**
 * The value of a secret: the rest of the line without surrounding blanks and tabs, and then without one pair of surrounding
 * double quotes.
 */
function secretValue(raw: string): IniValue {
  const text = withoutOuterBlanks(raw);
  if (text.length >= 2 && text.startsWith('"') && text.endsWith('"')) return { text: text.slice(1, -1), remark: undefined };
  return { text, remark: secretRemark(text) };
}

function secretRemark(text: string): string | undefined {
  if (/\s[;#]/.test(text))
    return 'extends to the end of the line: a comment cannot follow it (put it in double quotes if it is meant so)';
  if (/^'.*'$/.test(text))
    return 'is in single quotes, which belong to it (leave them out, or put it in double quotes if they are meant so)';
  return undefined;
}

/**
 * Any other value: whitespace followed by `;` or `#` starts a comment; then surrounding blanks are removed. If a value begins
 * with a double or single quote and the next quote of the same kind ends it (a comment may follow), it is the text between the
 * two, verbatim; there are no escapes. Other quotes are part of the value.
 */
function plainValue(raw: string): IniValue {
  const text = raw.trim();
  const quote = text.charAt(0);
  if (quote === '"' || quote === "'") {
    const end = text.indexOf(quote, 1);
    const rest = text.slice(end + 1);
    if (end > 0 && /^\s*(?:[;#]|$)/.test(rest)) return { text: text.slice(1, end), remark: undefined };
    const remark = end < 0 ? 'begins with a quote that is not closed; it is part of the value' : undefined;
    return { text: withoutComment(raw), remark };
  }
  return { text: withoutComment(raw), remark: undefined };
}

function withoutComment(raw: string): string {
  const comment = raw.search(/\s[;#]/);
  return (comment < 0 ? raw : raw.slice(0, comment)).trim();
}

/** Not trim(): a no-break space may be part of a password. */
function withoutOuterBlanks(raw: string): string {
  const isBlank = (character: string | undefined): boolean => character === ' ' || character === '\t';
  let start = 0;
  let end = raw.length;
  while (isBlank(raw[start])) start++;
  while (end > start && isBlank(raw[end - 1])) end--;
  return raw.slice(start, end);
}
