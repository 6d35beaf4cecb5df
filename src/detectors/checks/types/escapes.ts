// Bytes as they are written in the configuration.
/**
 * The bytes of `text` in UTF-8, with `\r`, `\n`, `\t`, `\\` and `\xHH` replaced by the byte that they stand for; or what is wrong with
 * it, without the text, which may hold a password.
 */
export function parseEscapes(
  text: string,
): { readonly kind: 'parsed'; readonly bytes: Buffer } | { readonly kind: 'flawed'; readonly problem: string } {
  const parts: readonly string[] = text.match(/\\x[0-9a-f]{2}|\\[rnt\\]|[^\\]+|\\/gi) ?? [];
  if (parts.includes('\\')) return { kind: 'flawed', problem: 'expected \\r, \\n, \\t, \\\\ or \\xHH after a backslash' };
  return { kind: 'parsed', bytes: Buffer.concat(parts.map(bytesOf)) };
}

function bytesOf(part: string): Buffer {
  if (/^\\x/i.test(part)) return Buffer.from(part.slice(2), 'hex');
  return Buffer.from(part.startsWith('\\') ? (LETTERS[part.slice(1).toLowerCase()] ?? '') : part);
}

const LETTERS: Readonly<Record<string, string>> = { r: '\r', n: '\n', t: '\t', '\\': '\\' };
