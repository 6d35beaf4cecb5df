// The table of check types.
import type { SectionReader } from '../../../core/config.ts';
import type { CheckIdentity, CheckParts, CheckTarget, CheckType } from '../check.ts';
import { commandTypeCheck } from './command.ts';
import { dnsCheck } from './dns.ts';
import { fileCheck } from './file.ts';
import { groupCheck } from './group.ts';
import { hostCheck } from './host.ts';
import { logCheck } from './log.ts';
import { pingCheck } from './ping.ts';
import { processCheck } from './process.ts';
import { tcpCheck } from './tcp.ts';
import { unitCheck } from './unit.ts';
import { urlCheck } from './url.ts';

/** Every type, by its name in the configuration. */
const checkTypes: Readonly<Record<TypeName, CheckType<unknown>>> = {
  url: urlCheck,
  tcp: tcpCheck,
  dns: dnsCheck,
  ping: pingCheck,
  process: processCheck,
  unit: unitCheck,
  command: commandTypeCheck,
  host: hostCheck,
  file: fileCheck,
  log: logCheck,
  group: groupCheck,
};

type TypeName = 'url' | 'tcp' | 'dns' | 'ping' | 'process' | 'unit' | 'command' | 'host' | 'file' | 'log' | 'group';
/** All types. */
export const typeNames = Object.keys(checkTypes) as readonly TypeName[];

/** The keys of all types, except `header.NAME`. */
export const typeKeys: readonly string[] = [...new Set(Object.values(checkTypes).flatMap(({ keys }) => keys))];

const secretKeys = new Set(Object.values(checkTypes).flatMap((type) => type.secretKeys ?? []));

/** The keys of any type that the section or its fallback has. None of them is unknown then, and no message shows those that are secrets. */
export function knownTypeKeys(section: SectionReader): string[] {
  const keys = [...typeKeys, ...section.keys().filter((key) => key.startsWith(HEADERS))];
  return keys.filter((key) => (isSecret(key) ? section.secret(key) !== undefined : section.has(key)));
}

function isSecret(key: string): boolean {
  return secretKeys.has(key) || key.startsWith(HEADERS);
}

/** Keys of `type = url` that begin with it have any name. */
const HEADERS = 'header.';

/** What a section says in the keys of its type. */
export interface ParsedType {
  readonly type: TypeName;
  /** Compared at a reload: the check goes on if they are the same. */
  readonly options: unknown;
  /** CheckType.hasOnlyParts. */
  readonly hasOnlyParts?: true;
  /** The names of the checks that it asks for; absent: none. */
  readonly members?: readonly string[];
  create(parts: CheckParts): CheckTarget;
}

/** Reads `type` and the keys of that type; undefined if they cannot be used. Problems go to the reader. */
export function parseType(
  section: SectionReader,
  check: CheckIdentity,
  stands: (key: string) => boolean,
  ofProcess?: SectionReader,
): ParsedType | undefined {
  const type = section.choice('type', typeNames, 'unit');
  const isKnown = section.text('type')?.toLowerCase() === type;
  if (!section.has('type')) section.refuse('type', `is missing (expected one of ${typeNames.join(', ')})`);
  const keys = knownTypeKeys(section);
  if (!isKnown) return undefined;
  const definition = checkTypes[type];
  for (const key of keys) {
    const isOwn = definition.keys.includes(key) || (type === 'url' && key.startsWith(HEADERS));
    if (!isOwn && stands(key)) section.warning(key, `has no effect: type is ${type}`);
  }
  const options = definition.parse(section, check, ofProcess);
  if (options === undefined) return undefined;
  const { hasOnlyParts } = definition;
  const members = definition.members?.(options);
  const create = (parts: CheckParts): CheckTarget => definition.create(options, check, parts);
  return { type, options, ...(hasOnlyParts && { hasOnlyParts }), ...(members && { members }), create };
}
