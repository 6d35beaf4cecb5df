/**
 * What the configuration of the bash service's own successor says beside ours, and what has become of it here, in one line: by section,
 * then by key; `''` stands for the whole section, whose keys are not judged then. Such a file is to be used as it is.
 */
const foreignKeys: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  self_recovery: { '': "not needed: systemd's WatchdogSec and Restart= see to it, as the unit has them" },
  predictive: { '': 'not supported: a process is restarted once it is in alarm, never on a forecast' },
  logging: { json_pretty: 'not needed: format = json writes an object a line, and jq shows it indented' },
};

/** What to tell of a section, or of a key of it, that is none of ours; undefined where nothing is known of it. */
export function foreignWord(section: string, key = ''): string | undefined {
  const words = Object.hasOwn(foreignKeys, section) ? foreignKeys[section] : undefined;
  return words !== undefined && Object.hasOwn(words, key) ? words[key] : undefined;
}
