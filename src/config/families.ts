// The families of sections: those that have a name of their own, such as `[process.NAME]`.

/**
 * The families, by what their sections begin with. `[FAMILY.default]` has, key by key, what a section of the family does not
 * have; a key that is known in one section is known in all; and an error in one section refuses only that one.
 */
export const families = ['process', 'check'] as const;
export type Family = (typeof families)[number];

/** The family of a section, and the name that the section has in it; undefined if it is of none. */
export function memberOf(section: string): { readonly family: Family; readonly name: string } | undefined {
  const family = families.find((each) => section.startsWith(`${each}.`));
  return family && { family, name: section.slice(family.length + 1) };
}

/** The section of that name; undefined: the default one. */
export function sectionOf(family: Family, name: string | undefined): string {
  return `${family}.${name ?? DEFAULT}`;
}

/** True for the default section of a family. */
export function isDefault(section: string): boolean {
  return memberOf(section)?.name === DEFAULT;
}

const DEFAULT = 'default';

/** What shares its known keys: a whole family, as `process.`, or a single section. */
export function groupOf(section: string): string {
  const member = memberOf(section);
  return member === undefined ? section : `${member.family}.`;
}

/** A group as it is written in the file: `[process.NAME]`, `[monitor]`. */
export function groupWords(group: string): string {
  return `[${group}${group.endsWith('.') ? 'NAME' : ''}]`;
}
