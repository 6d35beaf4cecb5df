import type { SectionReader } from '../core/config.ts';

/** Reads `watch_exit` of `[process.NAME]`: whether the process's end raises its alarm; default false. */
export function parseWatchExit(section: SectionReader): boolean {
  return section.boolean('watch_exit', false);
}
