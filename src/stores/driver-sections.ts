import type { SectionReader } from '../core/config.ts';

/**
 * `section` for the driver that is not in use: its keys become known, none is judged, every one has its default; one that stands in
 * the file is a warning, unless drivers share it.
 */
export function unusedSection(section: SectionReader): SectionReader {
  const pass = (key: string): void => {
    if (section.has(key) && !SHARED_KEYS.includes(key)) section.warning(key, 'has no effect: it belongs to another driver');
  };
  const absent = <T>(key: string, value: T): T => {
    pass(key);
    return value;
  };
  return {
    section: section.section,
    has: (key) => absent(key, false),
    text: (key) => absent(key, undefined),
    verbatim: (key) => absent(key, undefined),
    integer: (key, options) => absent(key, options.default),
    secondsAsMs: (key, options) => absent(key, options.default * 1000),
    boolean: absent,
    choice: (key, _values, fallback) => absent(key, fallback),
    list: (key) => absent(key, []),
    problem: () => undefined,
    refuse: () => undefined,
    warning: () => undefined,
  };
}

const SHARED_KEYS = ['query_timeout'];

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
