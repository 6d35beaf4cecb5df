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
