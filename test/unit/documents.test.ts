import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { buildProgram } from '../../src/cli/cli.ts';
import { createCli } from '../../src/cli/context.ts';
import { exitCodes } from '../../src/cli/exit-codes.ts';
import { stateColours } from '../../src/cli/status/state-colours.ts';
import { stateAdvice, stateHelp } from '../../src/cli/status/state-help.ts';
import { readValue } from '../../src/config/ini-value.ts';
import { processStateNames, processStates } from '../../src/control/process-state.ts';
import { runCommand } from '../helpers/cli-world.ts';
import { nowhere } from '../helpers/no-terminal.ts';
import { missing } from '../helpers/requirement.ts';

const root = join(import.meta.dirname, '../..');
const manPage = join(root, 'monitor_service.8');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

/** The commands, each with its options. */
const program = buildProgram(createCli(nowhere, () => Promise.reject(new Error('not needed'))));

/** What a document says of the keys of each section: key → default, empty where there is none. */
type Keys = Record<string, Record<string, string>>;

describe('monitor_service.8', () => {
  it('is clean under mandoc -Tlint', { skip: missing('mandoc') }, () => {
    const { stdout, stderr, status } = spawnSync('mandoc', ['-Tlint', manPage], { encoding: 'utf8' });
    assert.equal(stdout + stderr, '');
    assert.equal(status, 0);
  });

  it('is clean under man --warnings', { skip: missing('man') }, () => {
    const env = { ...process.env, LC_ALL: 'C.UTF-8', MANPAGER: 'cat', MANROFFSEQ: '', MANWIDTH: '80' };
    const { stdout, stderr, status } = spawnSync('man', ['--warnings', '-l', manPage], { encoding: 'utf8', env });
    assert.equal(stderr, '');
    assert.equal(status, 0);
    assert.match(stdout, /restart processes that a database marks as in alarm/);
  });
});

describe('the documents', () => {
  for (const file of ['README.md', 'src/README.md', 'monitor_service.8', 'config.ini', 'setup.sql', 'monitor_service.service'])
    it(`hold no marks of an unfinished merge: ${file}`, () => {
      assert.doesNotMatch(read(file), /^(?:<{7}|={7}|>{7})(?: |$)/m);
    });
});

describe('src/README.md', () => {
  it('names files that there are', () => {
    const named = [...read('src/README.md').matchAll(/`((?:[a-z0-9-]+\/)*[a-z0-9-]+\.ts)`/g)].map(([, file = '']) => file);
    assert.ok(named.length > 30);
    const places = ['src', 'src/monitor', ''];
    const gone = named.filter((file) => !places.some((place) => existsSync(join(root, place, file))));
    assert.deepEqual(gone, []);
  });
});

describe('the configuration reference', () => {
  it('is the same in config.ini, manual and README: sections, keys and defaults', () => {
    const shown = keysOfConfig(read('config.ini'));
    assert.ok(Object.keys(shown['process.default'] ?? {}).length > 20);
    assert.deepEqual(keysOfManual(read('monitor_service.8')), shown);
    assert.deepEqual(keysOfReadme(read('README.md')), shown);
  });

  it('has every key that the program asks for', () => {
    const documented = new Set(Object.values(keysOfConfig(read('config.ini'))).flatMap((keys) => Object.keys(keys)));
    const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
    const asked = files.flatMap((file) =>
      [
        ...read(join('src', file)).matchAll(/\b\w+\.(?:text|command|secret|integer|secondsAsMs|boolean|list)\(\s*'([a-z_]+)'/g),
      ].map(([, key = '']) => key),
    );
    assert.ok(asked.length > 60);
    assert.deepEqual(
      asked.filter((key) => !documented.has(key) && key !== 'uptime'),
      [],
    );
  });
});

describe('whatever starts Node', () => {
  for (const [file, pattern] of [
    ['monitor_service.service', /^ExecStart=(.*)$/gm],
    ['.ci/package', /^exec (.*)$/gm],
    ['package.json', /"start": "(.*)"/g],
    ['src/main.ts', /^#!(.*)$/gm],
    ['README.md', /(\bnode\b[^`\n]*?main\.js)/g],
  ] as const)
    it(`closes the debugger to SIGUSR1: ${file}`, () => {
      const commands = [...read(file).matchAll(pattern)].map(([, command]) => command);
      assert.ok(commands.length > 0);
      for (const command of commands) assert.match(`${command} `, / --disable-sigusr1 /);
    });
});

describe('the command line in the manual', () => {
  it('has every command with every option of it, and none that there is not', () => {
    const described = commandsOfManual(read('monitor_service.8'));
    const expected = program.commands.map((command) => [command.name(), command.options.map(({ long }) => long).sort()]);
    assert.deepEqual(described, Object.fromEntries(expected));
  });

  it('has every exit code, and none that there is not', () => {
    const [, section = ''] = read('monitor_service.8').split('.SH EXIT STATUS\n');
    const codes = [...(section.split('.SH ')[0] ?? '').matchAll(/^\.TP\n\.B (\d+)$/gm)].map(([, code]) => Number(code));
    assert.deepEqual(codes, Object.values(exitCodes));
  });
});

describe('the help of each command', () => {
  it('fits 80 columns', async () => {
    for (const name of ['', ...program.commands.map((command) => command.name())]) {
      const { stdout } = await runCommand([...(name === '' ? [] : [name]), '--help']);
      assert.match(stdout, /^Usage: monitor_service/, name);
      for (const line of stdout.split('\n')) assert.ok(line.length <= 80, `${name}: ${line}`);
    }
  });

  it('names the exit codes that the manual gives it', async () => {
    const [, section = ''] = read('monitor_service.8').split('.SH EXIT STATUS\n');
    const text = (section.split('.SH ')[0] ?? '').replaceAll('\\-', '-');
    const numbers = (list: string): number[] => (list.match(/\d+/g) ?? []).map(Number);
    const always = numbers(/^Every command may end with (.*)\.$/m.exec(text)?.[1] ?? '');
    assert.equal(always.length, 5);
    const rows = text.matchAll(/^\.TP\n\.B ([a-z-]+(?:, [a-z-]+)*)\n(\d.*)$/gm);
    const others = new Map(
      Array.from(rows, ([, names = '', list = '']) => names.split(', ').map((name) => [name, numbers(list)] as const)).flat(),
    );
    assert.deepEqual([...others.keys()].sort(), program.commands.map((command) => command.name()).sort());
    for (const [name, codes] of others) {
      const { stdout } = await runCommand([name, '--help']);
      const [, list = ''] = stdout.split('Exit codes:\n');
      const told = Array.from(list.matchAll(/^ {2}(\d+) /gm), ([, code]) => Number(code));
      assert.deepEqual(
        told,
        [...always, ...codes].sort((a, b) => a - b),
        name,
      );
    }
  });
});

describe('the words of status', () => {
  const expected = processStateNames.map((word) => [word, stateColours[word], processStates[word], stateAdvice[word]]);

  it('are in the manual, with colour, condition and what to do, in their order', () => {
    const [, section = ''] = read('monitor_service.8').split('.SH STATUS\n');
    const entries = (section.split('.SH ')[0] ?? '').matchAll(
      /^\.TP\n\.BR ([a-z]+) " \(([a-z]+)\)"\n((?:[^.].*\n)+)\.br\nTo do: ((?:[^.].*\n)+)/gm,
    );
    const plain = (text: string): string => text.trim().replaceAll('\n', ' ').replaceAll('\\-', '-').replaceAll('\\(dq', '"');
    const words = Array.from(entries, ([, word, colour, text = '', advice = '']) => [word, colour, plain(text), plain(advice)]);
    assert.deepEqual(words, expected);
  });

  it('are in the README, with colour, condition and what to do, in their order', () => {
    const [, table = ''] = read('README.md').split('| STATE | colour | condition | what to do |\n');
    const rows = (table.split('\n\n')[0] ?? '').matchAll(/^\| `([a-z]+)` \| ([a-z]+) \| (.*) \| (.*) \|$/gm);
    assert.deepEqual(
      Array.from(rows, ([, ...cells]) => cells),
      expected,
    );
  });

  it('are in the help, with colour, condition and what to do, in their order', () => {
    const entries = stateHelp().matchAll(/^ {2}([a-z]+) +([a-z]+) +(.*(?:\n {22}.*)*)$/gm);
    const words = Array.from(entries, ([, word, colour, text = '']) => {
      const [condition, advice] = text.replaceAll(/\n +/g, ' ').split(' To do: ');
      return [word, colour, condition, advice];
    });
    assert.deepEqual(words, expected);
  });
});

/** Entries of the section COMMANDS that begin with a command, each with the options that are named in it. */
function commandsOfManual(text: string): Record<string, string[]> {
  const section = text.split('.SH COMMANDS\n')[1]?.split('.SH ')[0] ?? '';
  const entries = section.replaceAll('\\-', '-').split(/^\.TP\n\.(?:B|BR|BI) (?=[a-z])/m);
  const commands = entries.slice(1).map((entry) => {
    const options = new Set((entry.split(/^\.PP$/m)[0] ?? '').match(/--[a-z]+(?:-[a-z]+)*/g));
    return [/^[a-z-]+/.exec(entry)?.[0] ?? '', [...options].sort()] as const;
  });
  return Object.fromEntries(commands);
}

/** The keys of a section that config.ini shows, set or behind a `;`; examples of `[process.NAME]` and `[check.NAME]` are not looked at. */
function keysOfConfig(text: string): Keys {
  const keys: Keys = {};
  for (const part of text.split(/^;?(?=\[)/m)) {
    const section = /^\[(.+?)\]/.exec(part)?.[1] ?? '';
    if (section === '' || /^(?:process|check)\.(?!default$)/.test(section)) continue;
    const entries = [...part.matchAll(/^;?([a-z_]+) *=(.*)$/gm)];
    const value = (key: string, raw: string): string =>
      NO_DEFAULTS.has(key) ? '' : readValue(key.endsWith('_command') ? 'command' : 'plain', raw).text;
    keys[section] = Object.fromEntries(entries.map(([, key = '', raw = '']) => [key, value(key, raw)]));
  }
  return keys;
}

/** Where config.ini shows a value that nobody has by default. */
const NO_DEFAULTS: ReadonlySet<string> = new Set(['password', 'tls']);

/** `.SS [section]`, then `.BR key " = " default` or `.B key` after each `.TP`. */
function keysOfManual(text: string): Keys {
  const keys: Keys = {};
  for (const part of text.split(/^\.S[SH] /m)) {
    const section = /^\[(.+?)\]/.exec(part)?.[1];
    if (section === undefined) continue;
    const entries = [...part.matchAll(/^\.TP\n\.(?:B ([a-z_]+)|BR ([a-z_]+) " = " (.*))$/gm)];
    keys[section] = Object.fromEntries(entries.map(([, bare, key = bare, value = '']) => [key, value]));
  }
  return keys;
}

/** Below each heading that names a section, a table whose rows begin with the key and its default, both in backticks. */
function keysOfReadme(text: string): Keys {
  const keys: Keys = {};
  for (const part of text.split(/^#{2,3} /m)) {
    const section = /^`\[(.+?)\]`/.exec(part)?.[1];
    if (section === undefined) continue;
    const entries = [...part.matchAll(/^\| `([a-z_]+)` \| (?:`(.*?)`|–) \|/gm)];
    keys[section] = Object.fromEntries(entries.map(([, key = '', value = '']) => [key, value]));
  }
  return keys;
}
