import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ProcessTable } from '../../../../src/system/proc/table.ts';
import { openZoo } from '../../../helpers/process-zoo.ts';
import { settledRecord } from '../../../helpers/settled-record.ts';
import { waitFor } from '../../../helpers/wait-for.ts';

const table = new ProcessTable();
const TITLE = 'it wrote a title over its command line';
const CHANGED = 'it changed its command line: it was executed with a different number of arguments';
const UNTOLD = 'it calls itself by a name other than its program, which may be a title over its arguments';

/** What is read of a process, once its command line begins with `first`. */
async function readingOf(pid: number, first: string): Promise<string | readonly string[]> {
  await waitFor(`${first}: its command line`, () => table.read(pid, ['argv'])?.argv?.[0] === first);
  const reading = await settledRecord(table, pid);
  return reading.kind === 'read' ? reading.record.argv : reading.reason;
}

/** Environments of an odd and an even number of variables: how many arguments there were is known but for one, by that. */
function environments(dir: string): NodeJS.ProcessEnv[] {
  const env = { PATH: process.env.PATH, ZOO: dir };
  return [env, { ...env, ODD: '1' }];
}

test('a title of node that fills the room of its arguments, or all of it but one byte', async (t) => {
  const zoo = openZoo(t);
  for (const [script, more] of [
    ['srvlong1.js', []],
    ['srv.js', ['-v', '--port=8080']],
    ['x', ['1', '']],
  ] as const) {
    const room = ['node', script, ...more].reduce((sum, word) => sum + word.length + 1, 0) - 1;
    for (const length of [room, room - 1, room - 2, 3]) {
      const title = 'payments-gateway-and-more-of-it'.slice(0, length);
      writeFileSync(join(zoo.dir, script), `process.title = ${JSON.stringify(title)}; setInterval(() => {}, 1e6);`);
      for (const env of environments(zoo.dir)) {
        const pid = await zoo.start(process.execPath, [script, ...more], { argv0: 'node', cwd: zoo.dir, env });
        assert.equal(await readingOf(pid, title), TITLE, `${script} ${more} ${title}`);
      }
    }
  }
});

const perl = '/usr/bin/perl';
test('a title of perl that fills the room of its arguments', { skip: !existsSync(perl) && 'needs perl' }, async (t) => {
  const zoo = openZoo(t);
  const title = 'w'.repeat('perl a.pl abc'.length);
  writeFileSync(join(zoo.dir, 'a.pl'), `$0 = '${title}'; sleep 300;`);
  for (const env of environments(zoo.dir)) {
    const pid = await zoo.start(perl, ['a.pl', 'abc'], { argv0: 'perl', cwd: zoo.dir, env });
    assert.equal(await readingOf(pid, title), TITLE);
  }
});

const python = '/usr/bin/python3';
test('arguments that were written over', { skip: !existsSync(python) && 'needs python' }, async (t) => {
  const zoo = openZoo(t);
  const script = `import ctypes, os, time
start = int(open('/proc/self/stat').read().rsplit(')', 1)[1].split()[45])
text = os.environb[b'TEXT'].replace(b'_', bytes(1))
ctypes.memmove(start, text, len(text))
time.sleep(300)
`;
  writeFileSync(join(zoo.dir, 'a.py'), script);
  const texts = [
    ['zzzzzzzzzzzzzzzz', TITLE],
    ['zzzzzzzzzzzzzzz_', TITLE],
    ['zzzzzzzz_zzzzzzz', CHANGED],
    ['zz_zz_zz_zz_zz_z', CHANGED],
  ] as const;
  for (const [text, reason] of texts)
    for (const env of environments(zoo.dir)) {
      const started = { argv0: 'python3', cwd: zoo.dir, env: { ...env, TEXT: text } };
      const pid = await zoo.start(python, ['a.py', 'x', 'y'], started);
      assert.equal(await readingOf(pid, text.split('_')[0] ?? ''), reason, text);
    }
});

test('names that a program may well have been executed by', async (t) => {
  const zoo = openZoo(t);
  const program = zoo.sleeper('prog.basic');
  symlinkSync(program, join(zoo.dir, 'linked'));
  for (const env of environments(zoo.dir)) {
    const withPath = { ...env, PATH: `${zoo.dir}:/usr/bin:/bin` };
    const started: readonly (readonly [file: string, args: readonly string[], argv0: string])[] = [
      [program, ['300'], 'appd'],
      [program, ['300'], 'linked'],
      ['/bin/dash', ['-c', 'sleep 300; true'], 'appd'],
      [process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], 'node'],
    ];
    for (const [file, args, argv0] of started) {
      const pid = await zoo.start(file, args, { argv0, env: withPath, cwd: zoo.dir });
      assert.deepEqual(await readingOf(pid, argv0), [argv0, ...args]);
    }
    // Without arguments: by its own name, as a login's, by its path, by a link's, and by one that leads nowhere.
    for (const [argv0, isTold] of [
      ['cat', true],
      ['-cat', true],
      ['/usr/bin/cat', true],
      ['./called', true],
      ['in-path', true],
      ['unheard-of', false],
    ] as const) {
      const pid = await reader(t, zoo.dir, [argv0], withPath);
      const reading = await readingOf(pid, argv0);
      if (isTold || typeof reading !== 'string') assert.deepEqual(reading, [argv0]);
      else assert.equal(reading, UNTOLD);
    }
  }
});

test('one of two environments explains a lone strange name: it was executed with nothing else', async (t) => {
  const zoo = openZoo(t);
  const readings: unknown[] = [];
  for (const env of environments(zoo.dir)) readings.push(await readingOf(await reader(t, zoo.dir, ['odd'], env), 'odd'));
  assert.deepEqual(
    readings.toSorted((a, b) => (typeof a === typeof b ? 0 : typeof a === 'string' ? 1 : -1)),
    [['odd'], UNTOLD],
  );
});

test('an empty argument behind a strange name may be what a title left', async (t) => {
  const zoo = openZoo(t);
  for (const env of environments(zoo.dir)) {
    assert.equal(await readingOf(await reader(t, zoo.dir, ['odd', ''], env), 'odd'), UNTOLD);
    assert.deepEqual(await readingOf(await reader(t, zoo.dir, ['tee', ''], env), 'tee'), ['tee', '']);
  }
});

/** cat(1), of an empty argument tee(1), which wait for input that does not come. */
async function reader(t: TestContext, dir: string, argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  for (const name of ['called', 'in-path']) if (!existsSync(join(dir, name))) symlinkSync('/usr/bin/cat', join(dir, name));
  const [argv0 = '', ...args] = argv;
  const file = args.length === 0 ? '/usr/bin/cat' : '/usr/bin/tee';
  const child = spawn(file, args, { argv0, env, cwd: dir, stdio: ['pipe', 'ignore', 'ignore'] });
  t.after(() => child.kill('SIGKILL'));
  return child.pid ?? 0;
}
