// The table of check types.
import type { SectionReader } from '../../../core/config.ts';
import type { CheckIdentity, CheckParts, CheckTarget, CheckType } from '../check.ts';
import { commandTypeCheck } from './command.ts';
import { processCheck } from './process.ts';
import { tcpCheck } from './tcp.ts';
import { unitCheck } from './unit.ts';
import { urlCheck } from './url.ts';

/** Every type, by its name in the configuration. */
const checkTypes: Readonly<Record<TypeName, CheckType<unknown>>> = {
  url: urlCheck,
  tcp: tcpCheck,
  process: processCheck,
  unit: unitCheck,
  command: commandTypeCheck,
};

type TypeName = 'url' | 'tcp' | 'process' | 'unit' | 'command';
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
  return options === undefined ? undefined : { type, options, create: (parts) => definition.create(options, check, parts) };
}
