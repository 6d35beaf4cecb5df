import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The text behind the name of each interface, type and shape in these files of the project; that of a shape is its type in braces. */
export function declarationsOf(files: readonly string[]): ReadonlyMap<string, string> {
  const found = files.flatMap((file) => {
    const text = readFileSync(join(import.meta.dirname, '../..', file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
    const declared = text.matchAll(
      /^(?:export )?(?:interface (\w+) (\{[\s\S]*?^\})|type (\w+) =\s*([\s\S]*?;)$(?=\n(?:\n|$)))/gm,
    );
    const shapes = text.matchAll(/^(?:export )?const (\w+)(?:: Shape<.*>)? = (?:object\()?(\{[\s\S]*?^\}|\w+)\)?;$/gm);
    return [
      ...Array.from(declared, ([, name, body, alias, type]) => [name ?? alias ?? '', body ?? type ?? ''] as const),
      ...Array.from(shapes, ([, name = '', fields = '']) => [name, typeOf(fields)] as const),
    ];
  });
  return new Map(found);
}

/** The type that the fields of a shape are written for: `{ a: listOf(b), }` is `{ a: b[]; }`. */
function typeOf(fields: string): string {
  let text = fields.replaceAll(/,(?=\s*\))/g, '').replaceAll(/,(?=\s*(?:\n|\})| \w+: )/g, ';');
  for (let before = ''; before !== text; ) {
    before = text;
    text = text.replaceAll(/\b(?:object|optional|nullable)\(([^()]*)\)/g, '$1').replaceAll(/\blistOf\(([^()]*)\)/g, '$1[]');
    text = text.replaceAll(/\boneOf\([^()]*\)/g, 'string');
  }
  return text;
}

/**
 * The paths of all fields of a type (`rows[].notes`), which is a name in `declared` or written out; inside those of `elsewhere`
 * it is not looked.
 */
export function fieldsOf(
  declared: ReadonlyMap<string, string>,
  type: string,
  elsewhere: readonly string[] = [],
  at = '',
): string[] {
  const fields: string[] = [];
  for (const [, name, index] of outsideBraces(type).matchAll(/\b([A-Za-z]\w+)\b(\[')?/g)) {
    const behind = index === undefined ? declared.get(name ?? '') : undefined;
    if (behind !== undefined) fields.push(...fieldsOf(declared, behind, elsewhere, at));
  }
  for (const body of bracesOf(type))
    for (const member of membersOf(body)) {
      const [, spread] = /^\.\.\.(\w+)$/.exec(member) ?? [];
      if (spread !== undefined) {
        fields.push(...fieldsOf(declared, spread, elsewhere, at));
        continue;
      }
      const [, name = '', inner = ''] = /^(?:readonly )?(\w+)\??:([\s\S]*)$/.exec(member) ?? assert.fail(member);
      const path = `${at}${name}`;
      fields.push(path);
      const isList = outsideBraces(inner).includes('[]');
      if (!elsewhere.includes(path)) fields.push(...fieldsOf(declared, inner, elsewhere, `${path}${isList ? '[]' : ''}.`));
    }
  return [...new Set(fields)];
}

/** What stands between each outermost pair of braces. */
function bracesOf(type: string): string[] {
  const bodies: string[] = [];
  let depth = 0;
  let begin = 0;
  for (let i = 0; i < type.length; i += 1) {
    if (type[i] === '{' && depth++ === 0) begin = i + 1;
    if (type[i] === '}' && --depth === 0) bodies.push(type.slice(begin, i));
  }
  return bodies;
}

function outsideBraces(type: string): string {
  return bracesOf(type).reduce((text, body) => text.replace(`{${body}}`, ''), type);
}

/** Its members, each without the `;`. */
function membersOf(body: string): string[] {
  const members: string[] = [];
  let depth = 0;
  let member = '';
  for (const character of `${body};`) {
    if (character === '{') depth += 1;
    if (character === '}') depth -= 1;
    if (character === ';' && depth === 0) {
      if (member.trim() !== '') members.push(member.trim());
      member = '';
    } else member += character;
  }
  return members;
}
