import type { EventLine } from '../core/process/event-line.ts';

/**
 * Formats an event as a line of JSON with its end, as procMonitor writes it: a space after each comma. Source: the procMonitor
 * protocol.
 */
export function eventText(line: EventLine): string {
  let text = '';
  for (const [key, value] of Object.entries(line)) {
    if (value !== undefined) text += `${text === '' ? '{' : ', '}"${key}":${JSON.stringify(value)}`;
  }
  return `${text}}\n`;
}
