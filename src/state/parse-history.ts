// The section [history].
import type { SectionReader } from '../core/config.ts';

/** How much of the history is kept. */
export interface HistoryLimits {
  /** `story`: events and incidents that are older go; milliseconds, default 30 days. */
  readonly storyMs: number;
  /** `results`: of the looks of each check, and of each part of one; default 1,000. */
  readonly results: number;
  /** `max_size`: if history.db is larger, the oldest results go, and then the oldest events; bytes, default 512 MB. */
  readonly maxBytes: number;
}

/** The limits of a configuration without the section. */
export const usualLimits: HistoryLimits = { storyMs: 30 * 86_400_000, results: 1000, maxBytes: 512 * 1024 ** 2 };

/** Reads `[history]`; problems go to the reader. */
export function parseHistory(section: SectionReader): HistoryLimits {
  return {
    storyMs: section.integer('story', { default: 30, min: 1, max: 3650 }) * 86_400_000,
    results: section.integer('results', { default: 1000, min: 1, max: 100_000 }),
    maxBytes: section.integer('max_size', { default: 512, min: 1, max: 1_000_000 }) * 1024 ** 2,
  };
}
