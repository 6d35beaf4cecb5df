import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { syntaxFault } from '../../../../src/core/shell/syntax-fault.ts';
import { seededRandom } from '../../../helpers/seeded-random.ts';

/** Which of these texts bash would refuse to read. */
function refused(texts: readonly string[]): boolean[] {
  const script = 'while IFS= read -r -d "" text; do bash -n -c "$text" >/dev/null 2>&1 && echo 0 || echo 1; done';
  const { stdout } = spawnSync('bash', ['-c', script], { input: texts.map((text) => `${text}\0`).join(''), encoding: 'utf8' });
  return stdout
    .trim()
    .split('\n')
    .map((line) => line === '1');
}

test('what is not closed, or ends nothing, is reported with what was expected and what was found', () => {
  const end = 'got the end of the command';
  const faults = {
    'echo "a': `expected a closing ", ${end}`,
    "echo 'it''s' 'a": `expected a closing ', ${end}`,
    "pkill -f it's": `expected a closing ', ${end}`,
    "echo $'a\\'": `expected a closing ', ${end}`,
    'echo "$(date "+%Y)"': `expected a closing ), ${end}`,
    'kill $(cat /run/a.pid': `expected a closing ), ${end}`,
    'echo "$(date': `expected a closing ), ${end}`,
    'kill `cat /run/a.pid': `expected a closing \`, ${end}`,
    'echo ${A': `expected a closing }, ${end}`,
    '(cd /srv; ./run': `expected a closing ), ${end}`,
    'cd /srv; ./run)': 'unexpected )',
    'if true; then echo a': `expected fi, ${end}`,
    'if a; then b; else if c; then d; fi': `expected fi, ${end}`,
    'while sleep 1; do a': `expected done, ${end}`,
    'for i in 1 2; do if a; then b; done': 'expected fi, got done',
    'until a; do b; fi': 'expected done, got fi',
    'f() { a': `expected }, ${end}`,
    '{ a; b': `expected }, ${end}`,
    'a; fi': 'unexpected fi',
    'a; done': 'unexpected done',
    'a &&': `expected a command after &&, ${end}`,
    'a || # b': `expected a command after ||, ${end}`,
    'a |': `expected a command after |, ${end}`,
  };
  for (const [text, expected] of Object.entries(faults)) assert.equal(syntaxFault(text), expected, text);
  assert.ok(refused(Object.keys(faults)).every(Boolean));
});

test('what a shell reads, or what this reader is not sure of, is not reported', () => {
  const fine = [
    '',
    '# it\'s "a',
    "a # it's",
    'echo "it\'s" \\" \\\'',
    `echo "\${A:-it's}"`,
    `echo "\${A//'/}" 'x'"'"`,
    `echo \${A#\\'} \${#A} $# "\${A%"}"}"`,
    'su - app -c \'sh -c "echo it\\"s"\'',
    'echo `echo "a`',
    'echo $(( (1 + 2) * 3 )) $((16#ff))',
    'case $1 in a) b;; (c) d;; esac',
    'echo "$(case a in a) echo "b";; esac)"',
    "cat <<EOF\nit's\nEOF",
    '[[ $a =~ ^(a|b)\\) ]] && c',
    `x=(a b); echo \${x[0]}`,
    'if a; then b; elif c; then d; else e; fi',
    'if a; then if b; then c; fi fi',
    'while read -r a; do b; done < /x',
    'for i in if do done; do a; done',
    'for ((i=0; i<3; i++)); do a; done',
    'f() { a; }; f; function g { b; }; g',
    '{ a; b; } 2>&1 | { c; }',
    'echo if; echo fi done }',
    "'if' a; \\fi b",
    'time { a; }',
    '! { a; }',
    'diff <(a) <(b "c")',
    'a && b &',
    'a;',
    'a && # b\n c',
    'echo $$ $$(a) $$"x" $!',
    'a\\',
  ];
  for (const text of fine) assert.equal(syntaxFault(text), undefined, text);
});

test('whatever a text is, none that bash would read is reported', () => {
  const random = seededRandom(4);
  const pieces = [
    ...[
      'a',
      ' ',
      ' ',
      ' ',
      '\n',
      '; ',
      '; ',
      ' && ',
      '|',
      '& ',
      '"',
      '"',
      "'",
      "'",
      '\\',
      '$',
      '$(',
      ')',
      '`',
      '(',
      ')',
      '{ ',
      '} ',
      '}',
    ],
    ...[
      '${x',
      '${x:-',
      '#',
      '>f ',
      '<<<',
      '=',
      '*',
      '! ',
      'if ',
      'then ',
      '; fi',
      'else ',
      'while ',
      'do ',
      '; done ',
      'for i in a; ',
    ],
    ...['f() ', 'function f ', "$'", '$((', '))', '[ ', '] ', 'time ', 'x=(', '<(', '$"', 'A=b ', '$$'],
  ];
  const texts = Array.from({ length: 2000 }, () =>
    Array.from({ length: 1 + Math.floor(random() * 9) }, () => pieces[Math.floor(random() * pieces.length)]).join(''),
  );
  const told = texts.filter((text) => syntaxFault(text) !== undefined);
  assert.ok(told.length > 500);
  const wrong = refused(told);
  assert.deepEqual(
    told.filter((_, at) => wrong[at] !== true),
    [],
  );
});

test('a long text is looked through soon', () => {
  const before = process.cpuUsage();
  for (const piece of ['$(', '`', '"', "'", '${', '(', ')', 'if ', '{ ', 'a;', '\\', '#']) syntaxFault(piece.repeat(20_000));
  const { user, system } = process.cpuUsage(before);
  assert.ok((user + system) / 1000 < 10_000, `${(user + system) / 1000} ms`);
});
