// The names of checks and of their parts: NAME, NAME/PART.

/** The name of a part, for people and in records. */
export function partName(check: string, part: string | undefined): string {
  return part === undefined ? check : `${check}/${part}`;
}

/** The check whose part has that name, or which has it itself: its own name has no `/`. */
export function checkOf(name: string): string {
  return name.split('/', 1)[0] ?? name;
}

/** The part that has that name; undefined: a check as a whole. */
export function partOf(name: string): string | undefined {
  const check = checkOf(name);
  return check === name ? undefined : name.slice(check.length + 1);
}
