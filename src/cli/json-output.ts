/**
 * `value` as JSON that a terminal shows as it is: what JSON leaves alone and a terminal might obey (C1, DEL, marks of writing
 * direction, line separators) is written as `\uXXXX`. Indented by 2, or on one line.
 */
export function jsonText(value: unknown, layout: 'indented' | 'line' = 'indented'): string {
  const text = layout === 'line' ? JSON.stringify(value) : JSON.stringify(value, null, 2);
  return `${escapeUnfit(text)}\n`;
}

/** JSON with those characters written as `\uXXXX`; its value is the same. */
export function escapeUnfit(json: string): string {
  return json.replace(UNFIT, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

const UNFIT = /[\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/g;
