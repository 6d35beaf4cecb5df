// The keys that all types of `[check.NAME]` have.

import { parseDependsOn } from '../../config/parse-config.ts';
import { shownText } from '../../config/shown-value.ts';
import type { SectionReader } from '../../core/config.ts';
import type { CheckIdentity } from './check.ts';
import { parseSchedule, type Schedule } from './schedule.ts';

/** A check, as its section says, without the keys of its type. */
export interface CheckSettings extends CheckIdentity {
  /** `interval`: from one look to the next; default 60 s, 1 to 86,400. */
  readonly intervalMs: number;
  /** `schedule` and `timezone`: when it looks, instead of each interval; undefined: each interval. */
  readonly schedule: Schedule | undefined;
  /** `retry_interval`: the same while a result contradicts the state; default the lesser of `interval` and 15 s. */
  readonly retryIntervalMs: number;
  /** `timeout`: limit of a whole look; default 5 s, 0.1 to 300. */
  readonly timeoutMs: number;
  /** `failure_threshold`: failing results in a row that make it failing; default 3, 1 to 1,000. */
  readonly failureThreshold: number;
  /** `success_threshold`: good results in a row that end that; default 2, 1 to 1,000. */
  readonly successThreshold: number;
  /** `severity`: a `warning` raises no alarm; default critical. */
  readonly severity: 'critical' | 'warning';
  /** `depends_on`: checks and processes; while one of them fails, this check is unknown. At most 100. */
  readonly dependsOn: readonly string[];
  /** `start_grace`: failures within it after a start or recovery of `process` do not count; default 30 s, at most 3,600. */
  readonly startGraceMs: number;
  /** `description`, for people; undefined: none. */
  readonly description: string | undefined;
  /** `runbook`: where an operator reads what to do, an https URL; undefined: none. */
  readonly runbook: string | undefined;
  /** `show_target`: what is looked at may be shown; default true. */
  readonly showTarget: boolean;
  /** `enabled`; default true. */
  readonly isEnabled: boolean;
}

/** Reads the common keys of the section of check `name`; `systemNameOf`: that of a process. Problems go to the reader. */
export function parseCheckSettings(
  section: SectionReader,
  name: string,
  systemNameOf: (processName: string) => string,
): CheckSettings {
  const processName = section.text('process');
  const intervalMs = section.secondsAsMs('interval', { default: 60, min: 1, max: DAY_S });
  const schedule = parseSchedule(section);
  const usualRetryS = Math.min(intervalMs / 1000, USUAL_RETRY_S);
  return {
    name,
    processName,
    systemName: processName === undefined ? name : systemNameOf(processName),
    intervalMs,
    schedule,
    retryIntervalMs: section.secondsAsMs('retry_interval', { default: usualRetryS, min: 1, max: DAY_S }),
    timeoutMs: section.secondsAsMs('timeout', { default: 5, min: 0.1, max: 300 }),
    failureThreshold: section.integer('failure_threshold', { default: 3, min: 1, max: 1000 }),
    successThreshold: section.integer('success_threshold', { default: 2, min: 1, max: 1000 }),
    severity: section.choice('severity', ['critical', 'warning'], 'critical'),
    dependsOn: parseDependsOn(section),
    startGraceMs: section.secondsAsMs('start_grace', { default: 30, max: 3600 }),
    description: section.text('description'),
    runbook: runbook(section),
    showTarget: section.boolean('show_target', true),
    isEnabled: section.boolean('enabled', true),
  };
}

const DAY_S = 86_400;
const USUAL_RETRY_S = 15;

function runbook(section: SectionReader): string | undefined {
  const text = section.text('runbook');
  const url = text === undefined ? undefined : URL.parse(text);
  if (url === undefined || (url?.protocol === 'https:' && url.username === '' && url.password === '')) return text;
  section.problem('runbook', `invalid value "${shownText(text ?? '', 60)}", expected https://HOST/… without user and password`);
  return undefined;
}
