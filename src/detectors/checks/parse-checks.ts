// Parses all sections `[check.NAME]`.
import type { ConfigDocument } from '../../config/config-document.ts';
import { circleThrough, findCircularGroups } from '../../config/dependency-circles.ts';
import { closest } from '../../config/did-you-mean.ts';
import { sectionOf } from '../../config/families.ts';
import { shownText } from '../../config/shown-value.ts';
import { checkOf, partOf } from './part-names.ts';
import { type CheckSettings, parseCheckSettings } from './settings.ts';
import { knownTypeKeys, type ParsedType, parseType } from './types/index.ts';

/** A check as configured. */
export interface ParsedCheck extends ParsedType {
  readonly settings: CheckSettings;
}

/**
 * Reads all checks; problems go to the document. Leaves out those that cannot be used and those with `enabled = false`. Nothing that a
 * `depends_on` or `process` names has to exist: a name that does not is a warning.
 */
export function parseChecks(document: ConfigDocument): readonly ParsedCheck[] {
  if (document.hasSection(sectionOf('check', undefined))) parseDefault(document);
  const names = document.names('check');
  const processes = new Set(document.names('process'));
  const checks = names.flatMap((name) => parseCheck(document, name) ?? []);
  for (const check of checks) warnOfNames(document, check, new Set(names), processes);
  refuseCircles(document, checks);
  const refused = document.refusals('check');
  return checks.filter(({ settings }) => settings.isEnabled && !refused.has(settings.name));
}

/** An error in what others inherit is found even if nobody inherits it. */
function parseDefault(document: ConfigDocument): void {
  const section = document.member('check', undefined);
  parseCheckSettings(section, '', (process) => process);
  section.has('type');
  knownTypeKeys(section);
}

function parseCheck(document: ConfigDocument, name: string): ParsedCheck | undefined {
  const section = document.member('check', name);
  const systemNameOf = (process: string): string => document.member('process', process).text('system_name') ?? process;
  const read = parseCheckSettings(section, name, systemNameOf);
  const isOwnList = document.stands(section.section, 'depends_on');
  // A check is not meant to depend on itself because [check.default] names it.
  const settings = isOwnList ? read : { ...read, dependsOn: read.dependsOn.filter((other) => other !== name) };
  const { processName } = settings;
  if (partOf(name) !== undefined)
    section.refuse('type', 'belongs to a check whose name has a / (expected none: it separates a check from one of its parts)');
  const hasSection = processName !== undefined && document.hasSection(sectionOf('process', processName));
  const stands = (key: string): boolean => document.stands(section.section, key);
  const parsed = parseType(section, settings, stands, hasSection ? document.member('process', processName) : undefined);
  if (settings.severity === 'warning' && settings.processName !== undefined)
    section.warning('severity', 'raises no alarm of its process: only a critical check does');
  return parsed && { ...parsed, settings };
}

function warnOfNames(
  document: ConfigDocument,
  { settings: { name, processName, dependsOn }, members = [] }: ParsedCheck,
  checks: ReadonlySet<string>,
  processes: ReadonlySet<string>,
): void {
  const section = document.member('check', name);
  // While the process is in alarm the check would say nothing, and so never let the alarm be cleared.
  if (processName !== undefined && dependsOn.includes(processName) && !checks.has(processName))
    section.refuse('depends_on', `names ${shownText(processName, 100)}, whose alarm it raises (expected others only)`);
  const warn = (key: string, missing: string, known: Iterable<string>, what: string): void => {
    const meant = closest(missing, [...known]);
    const hint = meant === undefined ? '' : ` (did you mean ${meant}?)`;
    section.warning(key, `${shownText(missing, 100)} ${what}${hint}`);
  };
  if (processName !== undefined && !processes.has(processName)) warn('process', processName, processes, 'has no section');
  for (const dependency of dependsOn)
    if (!checks.has(checkOf(dependency)) && !processes.has(dependency))
      warn('depends_on', dependency, [...checks, ...processes], 'is neither a check nor a process with a section');
  for (const member of members) if (!checks.has(checkOf(member))) warn('members', member, checks, 'has no section');
}

/** Checks that depend on each other would all be unknown for ever. */
function refuseCircles(document: ConfigDocument, checks: readonly ParsedCheck[]): void {
  const asked = ({ settings, members = [] }: ParsedCheck): readonly string[] => [
    ...settings.dependsOn.map(checkOf),
    ...members.map(checkOf),
  ];
  const graph = new Map(checks.map((check) => [check.settings.name, asked(check)]));
  for (const group of findCircularGroups(graph)) {
    const members = new Set(group);
    for (const name of group) {
      const path = [...circleThrough(graph, members, name), name];
      const shown = path.length <= MOST_STEPS ? path : [...path.slice(0, MOST_STEPS), '…'];
      const words = shown.map((step) => shownText(step, 100)).join(' -> ');
      const key = document.member('check', name).text('members') === undefined ? 'depends_on' : 'members';
      document.member('check', name).refuse(key, `is a circle: ${words} (expected that no check depends on itself)`);
    }
  }
}

const MOST_STEPS = 10;
