// Finds phrases that read like a translation, in comments, messages, documents and test titles.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

const root = join(import.meta.dirname, '../..');

/** `find`: a blank stands for any white space. `say`: what to write instead. `why`: what is wrong with it. */
interface Phrase {
  readonly find: RegExp;
  readonly say: string;
  readonly why: string;
}

const PHRASES: readonly Phrase[] = [
  { find: /\banew\b/, say: '"again", or "a new one"', why: 'nobody says it' },
  { find: /\bwhat (?:it|this|that) comes to\b/, say: 'what results from it', why: 'a figure of speech' },
  { find: /\b(?:comes?|came|coming) to nothing\b/, say: '"fails", or "has no effect"', why: 'a figure of speech' },
  { find: /\bwould come to\b/, say: 'what would happen', why: 'a figure of speech' },
  { find: /\bto be had\b|\bcan(?:not)? be had\b|\bcould not be had\b/, say: 'available', why: 'it is not about having' },
  {
    find: /(?<!\bthere )\b(?:is|are|was|were) no (?!longer\b|more\b|less\b|one\b|younger\b|later\b|better\b|good\b)/,
    say: '"is not a …", or "there is no …"',
    why: 'the negation belongs to the verb',
  },
  { find: /(?<!\bthere )\b(?:is|are) none of (?!them\b)/, say: 'is not one of …', why: 'the negation belongs to the verb' },
  {
    find: /\bwhere (?:it|they|he|that|this|one|there) (?:can|cannot|could|is not|are not|does|do|has|have|is none|are none)\b/,
    say: 'if …',
    why: '"where" is for places, "if" for conditions',
  },
  {
    find: /\b(?:absent|undefined|empty|false|true|none|refused|also|one) where\b/,
    say: 'if …',
    why: '"where" is for places, "if" for conditions',
  },
  {
    find: /cannot be used \((?:expected|got)/,
    say: 'invalid value "5m", expected seconds (0.1 to 2147483)',
    why: 'a message names what was found, then what was expected',
  },
  { find: /\bby ourselves\b/, say: '"locally", or "by the daemon"', why: 'who "we" are is not known to a reader' },
  {
    find: /\bnor (?:is|are|does|do|was|were|has|have|can|did) /,
    say: '… does not … either',
    why: 'the order of words is turned round',
  },
  { find: /\bon that account\b/, say: 'therefore', why: 'nobody says it' },
  { find: /\bma(?:kes?|de) up for\b/, say: 'replaces', why: 'a figure of speech' },
  { find: /\bsettlements?\b|\b(?:is|are|was|were) settled\b/, say: '"outcome", "ended" or "decided"', why: 'a metaphor' },
  { find: /\bpronounc/, say: 'reports', why: 'a metaphor' },
  { find: /\bnewcomers?\b/, say: '"new …", with the noun', why: 'a metaphor' },
  { find: /\bseed 0\d\d\b/, say: '"the bash service", or "the procMonitor protocol"', why: 'a reader does not have the seeds' },
  { find: /\b(?:the|one|whole) river\b/, say: 'the way of an alarm', why: 'a metaphor' },
  { find: /\bwill do\b|\bdo(?:es)? as well\b/, say: '"is enough", or "works too"', why: 'a figure of speech' },
  { find: /\b(?:is|are|be|was|were) told\b/, say: '"is reported", or "receives a message"', why: 'nobody speaks' },
  { find: /\b(?:log|kernel|check-config|status|line) tells\b/, say: '"says", or "reports"', why: 'nobody speaks' },
  {
    find: /\bst(?:ands?|ood) (?:in(?! for\b)|on|at|beside|below|above|there)\b/,
    say: '"is in …", or "is written …"',
    why: 'a text does not stand',
  },
  { find: /\bof root's\b/, say: '"of root", or "that belongs to root"', why: 'two genitives' },
  { find: /\bbut for\b/, say: 'except', why: 'it reads as "but"' },
  { find: /\bbe it\b/, say: 'even if it is …', why: 'nobody says it' },
  {
    find: /\b(?:whence|hence|thereof|whereof|therein|thereupon|hitherto)\b/,
    say: '"from which", "therefore", "of it" …',
    why: 'nobody says it',
  },
];

/** The lines with such a phrase, each with the words found and what to write instead. `text` has lines like the file's. */
function findings(file: string, text: string): string[] {
  // The marks of comments and of the manual are blanks, so that a phrase is found across a line break.
  const plain = text.replaceAll(/^[ \t]*(?:\/\/|\/?\*+|;|--|#)|^\.[A-Z]{1,2}\b|\\-/gm, (marks) => ' '.repeat(marks.length));
  return PHRASES.flatMap(({ find, say, why }) => {
    const pattern = new RegExp(find.source.replaceAll(' ', '\\s+'), 'gi');
    return Array.from(plain.matchAll(pattern), ({ 0: words, index }) => {
      const line = plain.slice(0, index).split('\n').length;
      return `${file}:${line}: "${words.trim().replaceAll(/\s+/g, ' ')}": write ${say} (${why})`;
    });
  });
}

/** The TypeScript files below a directory. */
function filesBelow(directory: string): string[] {
  const entries = readdirSync(join(root, directory), { recursive: true, encoding: 'utf8' });
  return entries.filter((file) => file.endsWith('.ts')).map((file) => join(directory, file));
}

/** A test file's titles; everything between them is a bar a line, so that the lines keep their numbers. */
function titles(text: string): string {
  const kept: string[] = [];
  let end = 0;
  for (const { 0: call, index, indices } of text.matchAll(/\b(?:describe|it|test)\(\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1/dg)) {
    const [from = index, to = index] = indices?.[2] ?? [];
    kept.push(text.slice(end, from).replaceAll(/[^\n]+/g, '|'), text.slice(from, to));
    end = index + call.length;
  }
  return kept.join('');
}

describe('plain English', () => {
  const read = (file: string): string => readFileSync(join(root, file), 'utf8');

  it('is what the source files are written in', () => {
    const files = filesBelow('src');
    assert.ok(files.length > 500);
    assert.deepEqual(
      files.flatMap((file) => findings(file, read(file))),
      [],
    );
  });

  it('says at the top of each source file what the file is for', () => {
    const purpose = /^(?:#!.*\n)?(?:\/\/ [A-Z`]|(?:import [^;]*;\n|\n)*(?:\/\/ [A-Z`]|\/\*\*(?:(?!\*\/)[\s\S])*\*\/\nexport ))/;
    assert.deepEqual(
      filesBelow('src').filter((file) => !file.endsWith('.d.ts') && !purpose.test(read(file))),
      [],
    );
  });

  for (const file of ['README.md', 'src/README.md', 'monitor_service.8', 'config.ini', 'setup.sql', 'monitor_service.service'])
    it(`is what ${file} is written in`, () => {
      assert.deepEqual(findings(file, read(file)), []);
    });

  it('is what the titles of tests are written in', () => {
    const files = filesBelow('test');
    assert.ok(files.length > 200);
    const found = files.filter((file) => file !== 'test/unit/plain-english.test.ts');
    assert.deepEqual(
      found.flatMap((file) => findings(file, titles(read(file)))),
      [],
    );
  });

  it('is missed with file, line and what to write instead, also across lines of a comment', () => {
    assert.deepEqual(findings('a.ts', '// The value\n/**\n * It is\n * no number.\n */'), [
      'a.ts:3: "is no": write "is not a …", or "there is no …" (the negation belongs to the verb)',
    ]);
    assert.deepEqual(findings('a.ts', '// There is no number; it is no longer read.'), []);
  });

  it('is looked for in titles at their own lines', () => {
    assert.equal(titles("it('a b', () => {\n  x('c');\n  describe(`d`, e);\n});"), '|a b|\n|\n|d');
  });
});
