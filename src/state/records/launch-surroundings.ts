import { RESOURCES, type Resource, type ResourceLimit, type Surroundings } from '../../core/launch-record.ts';
import { fieldsOf, isCount, isListOf, isText } from './json-fields.ts';

/** The surroundings in a launch record; `wrong` where they make no sense. What is absent there is absent. */
export function surroundingsOf(value: unknown): Surroundings | 'wrong' {
  const { limits, umask, nice, ignoredSignals, standardOutput, standardError, memoryMax, tasksMax } = fieldsOf(value);
  // In the order in which they are read from a process: records are compared as text.
  const fields: readonly (readonly [name: keyof Surroundings, value: unknown, makesSense: boolean])[] = [
    ['limits', limits, isLimits(limits)],
    ['umask', umask, isCount(umask) && umask <= 0o777],
    ['nice', nice, Number.isInteger(nice) && Math.abs(Number(nice)) <= MOST_NICE],
    ['ignoredSignals', ignoredSignals, isListOf(ignoredSignals, isSignal)],
    ['standardOutput', standardOutput, isPath(standardOutput)],
    ['standardError', standardError, isPath(standardError)],
    ['memoryMax', memoryMax, isCount(memoryMax)],
    ['tasksMax', tasksMax, isCount(tasksMax) || tasksMax === 'unlimited'],
  ];
  const there = fields.filter(([, field]) => field !== undefined);
  if (there.some(([, , makesSense]) => !makesSense)) return 'wrong';
  return Object.fromEntries(there);
}

const MOST_NICE = 20;

function isLimits(value: unknown): value is Partial<Record<Resource, ResourceLimit>> {
  return Object.entries(fieldsOf(value)).every(([name, limit]) => {
    const { soft, hard } = fieldsOf(limit);
    return RESOURCES.some((resource) => resource === name) && isBound(soft) && isBound(hard);
  });
}

function isBound(value: unknown): boolean {
  return isText(value) && /^(?:\d{1,20}|unlimited)$/.test(value);
}

function isSignal(value: unknown): value is number {
  return isCount(value) && value >= 1 && value <= 31;
}

function isPath(value: unknown): boolean {
  return isText(value) && /^\/[^\p{Cc}]+$/u.test(value);
}
