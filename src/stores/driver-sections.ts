import type { SectionReader } from '../core/config.ts';

/**
 * A reader of `section` for a driver that is not in use: its keys become known, none is judged, and each has its default. A key
 * that is in the file is a warning, unless drivers share it.
 */
export function unusedDriverKeys(section: SectionReader): SectionReader {
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
    command: (key) => absent(key, undefined),
    secret: (key) => {
      // Even one that is not used is never shown.
      section.secret(key);
      return absent(key, undefined);
    },
    keys: () => section.keys(),
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
 * A reader of `section` while it is not known which driver is meant: keys that are in the file are judged, and no missing key
 * is reported. There are no warnings about valid values, because they may apply to the other driver only.
 */
export function presentKeysOnly(section: SectionReader): SectionReader {
  return {
    section: section.section,
    has: (key) => section.has(key),
    text: (key) => section.text(key),
    command: (key) => section.command(key),
    secret: (key) => section.secret(key),
    keys: () => section.keys(),
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
