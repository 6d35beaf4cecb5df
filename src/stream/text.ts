import type { EventLine } from '../core/process/event-line.ts';

/** An event as a line of JSON with its end, written as procMonitor writes them: a blank behind each comma. Source: seed 002. */
export function eventText(line: EventLine): string {
  let text = '';
  for (const [key, value] of Object.entries(line)) {
    if (value !== undefined) text += `${text === '' ? '{' : ', '}"${key}":${JSON.stringify(value)}`;
  }
  return `${text}}\n`;
}
