/**
 * Returns the messages of journal entries in export format, in order, each ended by a line break. If the bytes end within a
 * message, its first part is returned. Source: systemd.io/JOURNAL_EXPORT_FORMATS, "Journal Export Format".
 */
export function messagesOf(bytes: Buffer): string[] {
  const messages: string[] = [];
  let message = '';
  for (let at = 0; at < bytes.length; ) {
    const lineEnd = endOf(bytes, bytes.indexOf(LINE_BREAK, at));
    const line = bytes.subarray(at, lineEnd);
    at = lineEnd + 1;
    if (line.length === 0) {
      messages.push(message);
      message = '';
      continue;
    }
    const equals = line.indexOf(EQUALS);
    let value = line.subarray(equals + 1);
    // A value that is not plain text of one line follows its size.
    if (equals < 0) {
      if (at + SIZE_BYTES > bytes.length) break;
      const start = at + SIZE_BYTES;
      const valueEnd = Math.min(start + Number(bytes.readBigUInt64LE(at)), bytes.length);
      value = bytes.subarray(start, valueEnd);
      at = valueEnd + 1;
    }
    const name = equals < 0 ? line : line.subarray(0, equals);
    if (name.toString('latin1') === 'MESSAGE') message += `${value.toString('utf8')}\n`;
  }
  if (message !== '') messages.push(message);
  return messages;
}

function endOf(bytes: Buffer, lineBreak: number): number {
  return lineBreak < 0 ? bytes.length : lineBreak;
}

const LINE_BREAK = 0x0a;
const EQUALS = 0x3d;
/** A little-endian number. */
const SIZE_BYTES = 8;
