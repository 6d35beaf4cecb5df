import { isUtf8 } from 'node:buffer';

/**
 * The text of bytes from a database, such that `bytesOf(textOf(bytes))` gives exactly the same bytes. The bytes are read as
 * UTF-8; each byte that is not valid becomes a lone surrogate U+DC80 … U+DCFF, which no valid text contains (PEP 383,
 * surrogateescape).
 */
export function textOf(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (isUtf8(buffer)) return buffer.toString('utf8');
  const parts: string[] = [];
  for (let i = 0; i < buffer.length; ) {
    const lead = buffer[i] ?? 0;
    const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    const character = buffer.subarray(i, i + length);
    const valid = isUtf8(character);
    parts.push(valid ? character.toString('utf8') : String.fromCharCode(ESCAPE + lead));
    i += valid ? length : 1;
  }
  return parts.join('');
}

/** The bytes from which `textOf` made `text`. Other lone surrogates become U+FFFD, as in Node.js. */
export function bytesOf(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text, 'utf8');
  return Buffer.concat(
    Array.from(text, (character) => {
      const code = character.length === 1 ? character.charCodeAt(0) : 0;
      return code >= ESCAPE + 0x80 && code <= ESCAPE + 0xff ? Buffer.of(code - ESCAPE) : Buffer.from(character, 'utf8');
    }),
  );
}

/** The most bytes of a name or an id. A row with a longer one is left alone. */
export const MOST_BYTES = 1024;

const ESCAPE = 0xdc00;
