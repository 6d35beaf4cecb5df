import { escapeUnfit } from '../../core/text/printable.ts';

/**
 * `value` as JSON that is safe on a terminal: characters that JSON does not escape, but that a terminal might interpret (C1,
 * DEL, line separators) or not show (format and default-ignorable characters), are written as `\uXXXX`; the value is the same.
 * Indented by 2, or on one line.
 */
export function jsonText(value: unknown, layout: 'indented' | 'line' = 'indented'): string {
  const text = layout === 'line' ? JSON.stringify(value) : JSON.stringify(value, null, 2);
  return `${escapeUnfit(text)}\n`;
}
