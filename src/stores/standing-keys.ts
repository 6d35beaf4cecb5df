import type { SectionReader } from '../core/config.ts';

/**
 * `section` while it is not known which driver is meant: what stands in the file is judged, nothing is missed, and of what can be used
 * nothing is said, for that may be said of the other driver.
 */
export function standingKeys(section: SectionReader): SectionReader {
  return {
    section: section.section,
    has: (key) => section.has(key),
    text: (key) => section.text(key),
    verbatim: (key) => section.verbatim(key),
    integer: (key, options) => section.integer(key, options),
    secondsAsMs: (key, options) => section.secondsAsMs(key, options),
    boolean: (key, fallback) => section.boolean(key, fallback),
    choice: (key, values, fallback) => section.choice(key, values, fallback),
    list: (key) => section.list(key),
    problem: (key, problem) => section.has(key) && section.problem(key, problem),
    refuse: (key, problem) => section.has(key) && section.refuse(key, problem),
    warning: () => undefined,
  };
}
