import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { eventRequest } from '../../../../src/cli/events/filter.ts';
import { readEventLine } from '../../../../src/cli/events/reader.ts';
import { SeenProcesses } from '../../../../src/cli/events/seen-processes.ts';
import { EventTally } from '../../../../src/cli/events/tally.ts';
import { renderEvent, renderEventHeader } from '../../../../src/cli/events/view.ts';
import { displayWidth } from '../../../../src/cli/terminal/display-width.ts';
import type { EventLine } from '../../../../src/core/process/event-line.ts';
import { type ClientFilter, everything, passes } from '../../../../src/stream/filter.ts';
import { seedLines } from '../../../helpers/event-server.ts';
import { hostileNames } from '../../../helpers/hostile-names.ts';

const arrived = new Date(2026, 10, 21, 9, 8, 7, 65);
const time = arrived.toISOString();
const plain = { width: undefined, colour: false };

const exit = (changes: object): EventLine =>
  ({ event: 'exit', pid: 7, exit_code: 0, user: 'root', time, ...changes }) as EventLine;

describe('a line of an event stream', () => {
  it('is read as procMonitor sends it, and what ended a process is taken from the raw status', () => {
    const lines = seedLines.map((line) => readEventLine(line, arrived));
    assert.deepEqual(lines, [
      { event: 'exit', pid: 4162819, exit_code: 256, user: 'root', exit_status: 1, time },
      { event: 'fork', child_pid: 4162820, parent_pid: 755, time },
      { event: 'exec', pid: 4162820, user: 'root', cmdline: 'sleep 1 ', time },
      { event: 'exit', pid: 4162820, exit_code: 139, user: 'unknown', signal: 'SIGSEGV', core_dumped: true, time },
    ]);
  });

  it('is read with all that we add, and keys that we do not know do no harm', () => {
    const lines: EventLine[] = [
      {
        event: 'exit',
        pid: 1,
        exit_code: 9,
        user: 'a',
        signal: 'SIGKILL',
        lifetime_ms: 1.5,
        time: '2020-01-01T00:00:00.000Z',
        comm: 'x',
        ppid: 0,
        monitored: 'db',
      },
      { event: 'fork', child_pid: 1, parent_pid: 2, user: 'a', time },
      { event: 'uid', pid: 1, user: 'a', real: 0, effective: 33, time },
      { event: 'gid', pid: 1, user: 'a', real: 0, effective: 33, time },
      { event: 'sid', pid: 1, user: 'a', time },
      { event: 'coredump', pid: 1, user: 'a', time },
      { event: 'ptrace', pid: 1, user: 'a', tracer_pid: 3, time },
      { event: 'comm', pid: 1, user: 'a', time, comm: 'new' },
      { event: 'lost', count: 12, time },
    ];
    for (const line of lines) assert.deepEqual(readEventLine(JSON.stringify({ ...line, newer: [1] }), arrived), line);
  });

  it('that is not an event is undefined, and never an error', () => {
    const bad = [
      '',
      'null',
      '[]',
      '{}',
      '7',
      '"exit"',
      '{"event":"exit"',
      '{"event":"born","pid":1}',
      '{"event":"exit","pid":1}',
      '{"event":"exit","pid":"1","exit_code":0}',
      '{"event":"exit","pid":-1,"exit_code":0}',
      '{"event":"exit","pid":1.5,"exit_code":0}',
      '{"event":"fork","child_pid":1}',
      '{"event":"lost"}',
      '{"event":"uid","pid":1,"real":0}',
      '{"event":"ptrace","pid":1}',
      '{"event":{"toString":1},"pid":1}',
      '{"event":"constructor","pid":1}',
      '{"event":"exec","pid":1,"user":"root","cmdline":"sh -c "x""}',
    ];
    for (const text of bad) assert.equal(readEventLine(text, arrived), undefined, text);
    assert.deepEqual(
      readEventLine('{"event":"exec","pid":1,"user":5,"cmdline":[],"comm":7,"ppid":"x","time":"soon"}', arrived),
      {
        event: 'exec',
        pid: 1,
        user: 'unknown',
        cmdline: '',
        time,
      },
    );
  });
});

describe('an event for people', () => {
  const cases: [EventLine, string][] = [
    [
      { event: 'exec', pid: 42, user: 'root', cmdline: 'sleep 1 ', comm: 'sleep', time },
      '09:08:07.065  exec      root           42  sleep            sleep 1',
    ],
    [
      { event: 'exec', pid: 42, user: 'root', cmdline: '/usr/bin/sleep 1', time },
      '09:08:07.065  exec      root           42  sleep            /usr/bin/sleep 1',
    ],
    [
      { event: 'fork', child_pid: 43, parent_pid: 42, comm: 'sh', time },
      '09:08:07.065  fork      -              42  sh               → child 43',
    ],
    [exit({ exit_status: 0 }), '09:08:07.065  exit      root            7  -                exit 0'],
    [
      exit({ exit_status: 3, lifetime_ms: 1234, comm: 'job' }),
      '09:08:07.065  exit      root            7  job              exit 3 after 1.2 s',
    ],
    [
      exit({ signal: 'SIGSEGV', core_dumped: true, lifetime_ms: 12.4, monitored: 'web' }),
      '09:08:07.065  exit      root            7  -                [web] SIGSEGV (core dumped) after 12 ms',
    ],
    [
      { event: 'uid', pid: 7, user: 'a', real: 0, effective: 33, time },
      '09:08:07.065  uid       a               7  -                real 0, effective 33',
    ],
    [
      { event: 'ptrace', pid: 7, user: 'a', tracer_pid: 0, time },
      '09:08:07.065  ptrace    a               7  -                no longer traced',
    ],
    [{ event: 'lost', count: 1, time }, '09:08:07.065  LOST      1 event did not arrive'],
  ];
  for (const [line, text] of cases) it(text.slice(14), () => assert.equal(renderEvent(line, plain), text));

  it('stands under its column', () => {
    assert.equal(renderEventHeader(plain), 'TIME          EVENT     USER          PID  NAME             DETAILS');
  });

  it('says by colour how a process ended, and that events were lost', () => {
    const coloured = (line: EventLine) => renderEvent(line, { width: 120, colour: true });
    assert.ok(coloured(exit({ exit_status: 0 })).includes('\u001b[2mexit 0\u001b[22m'));
    assert.ok(coloured(exit({ exit_status: 3 })).includes('\u001b[33mexit 3\u001b[39m'));
    assert.ok(coloured(exit({ signal: 'SIGKILL' })).includes('\u001b[31mSIGKILL\u001b[39m'));
    assert.ok(coloured({ event: 'lost', count: 5, time }).includes('\u001b[31mLOST\u001b[39m'));
    for (const [line] of cases) {
      assert.equal(stripVTControlCharacters(coloured(line)), renderEvent(line, { width: 120, colour: false }));
      assert.equal(renderEvent(line, { width: 120, colour: false }), stripVTControlCharacters(renderEvent(line, plain)));
    }
  });

  it('never breaks a terminal line or sends it control sequences, whatever the names of processes and users are', () => {
    const names = hostileNames('/tmp/bait');
    for (const name of names) {
      const line = { event: 'exec', pid: 4_194_304, user: name, cmdline: name, comm: name, monitored: name, time } as const;
      for (const width of [0, 1, 13, 20, 40, 57, 80, 120]) {
        const shown = renderEvent(line, { width, colour: false });
        assert.ok(displayWidth(shown) <= width, `${width}: ${shown}`);
        assert.doesNotMatch(shown, /[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\p{Zl}\p{Zp}]/u);
        assert.equal(stripVTControlCharacters(renderEvent(line, { width, colour: true })).trimEnd(), shown);
      }
    }
    const forged = renderEvent(
      { event: 'exit', pid: 1, exit_code: 9, user: 'a', signal: '\u001b[2J', time: '\u001b[2J' },
      plain,
    );
    assert.ok(!forged.includes('\u001b'));
  });

  it('keeps its columns with wide characters', () => {
    const wide = { event: 'exec', pid: 1, user: '名前', cmdline: '名', comm: '한글', time } as const;
    const ascii = { ...wide, user: 'abcd', comm: 'abcd' };
    for (const width of [undefined, 80]) {
      const columns = [wide, ascii].map((line) => {
        const shown = renderEvent(line, { width, colour: false });
        return displayWidth(shown.slice(0, shown.lastIndexOf('名')));
      });
      assert.equal(columns[0], columns[1]);
    }
    const cut = renderEvent({ ...wide, user: '名'.repeat(20) }, { width: 80, colour: false });
    assert.match(cut, / {2}名名名… {3}/);
  });
});

describe('what is wanted of a stream', () => {
  const wants = (line: EventLine, filter: ClientFilter): boolean => passes(filter, line);
  const exec: EventLine = { event: 'exec', pid: 1, user: 'root', cmdline: '/opt/a-rather-long-name x', time };

  it('is asked of the server in one line', () => {
    assert.equal(eventRequest(everything), undefined);
    assert.equal(eventRequest({ ...everything, events: new Set(['exit', 'fork']) }), '{"events":["exit","fork"]}');
    assert.equal(
      eventRequest({ events: new Set(['exit']), user: 'a', name: 'b"\n' }),
      '{"events":["exit"],"user":"a","name":"b\\"\\n"}',
    );
    assert.equal(
      eventRequest({ ...everything, name: 'a-rather-long-name' }),
      undefined,
      'the server may not know that names are cut',
    );
  });

  it('is looked at here too', () => {
    assert.ok(wants(exec, everything));
    assert.ok(!wants(exec, { ...everything, events: new Set(['exit']) }));
    assert.ok(wants(exec, { ...everything, user: 'root' }));
    assert.ok(!wants(exec, { ...everything, user: 'www' }));
    assert.ok(!wants({ event: 'fork', child_pid: 1, parent_pid: 2, time }, { ...everything, user: 'root' }));
    assert.ok(wants({ event: 'fork', child_pid: 1, parent_pid: 2, user: 'root', time }, { ...everything, user: 'root' }));
    assert.ok(wants({ event: 'lost', count: 1, time }, { events: new Set(['exit']), user: 'a', name: 'b' }));
  });

  it('selects by name as the kernel has it, by program if that is not known, and by the name of a watched process', () => {
    assert.ok(wants(exec, { ...everything, name: 'a-rather-long-name' }));
    assert.ok(wants(exec, { ...everything, name: 'a-rather-long-n' }));
    assert.ok(wants({ ...exec, comm: 'x' }, { ...everything, name: 'x' }));
    assert.ok(!wants({ ...exec, comm: 'x' }, { ...everything, name: 'a-rather-long-name' }));
    assert.ok(wants({ ...exec, comm: 'x', monitored: 'the web server' }, { ...everything, name: 'the web server' }));
    assert.ok(!wants(exit({}), { ...everything, name: 'x' }));
  });
});

describe('what is known of a process', () => {
  const at = (ms: number): string => new Date(arrived.getTime() + ms).toISOString();
  const ending = (pid: number, changes: object = {}): EventLine => exit({ pid, time: at(1500), ...changes });

  it('is added to lines that do not say it, and forgotten with its end', () => {
    const told = new SeenProcesses();
    assert.deepEqual(told.complete(ending(9)), ending(9));
    const exec: EventLine = { event: 'exec', pid: 2, user: 'a', cmdline: '/bin/sh -c x', time };
    assert.deepEqual(told.complete(exec), { ...exec, comm: 'sh' });
    const fork: EventLine = { event: 'fork', parent_pid: 2, child_pid: 3, time };
    assert.deepEqual(told.complete(fork), { ...fork, comm: 'sh' });
    assert.deepEqual(told.complete(ending(3)), { ...ending(3), comm: 'sh', lifetime_ms: 1500 });
    assert.deepEqual(told.complete(ending(3)), ending(3));
    assert.deepEqual(told.complete(ending(2, { lifetime_ms: 7 })), { ...ending(2), comm: 'sh', lifetime_ms: 7 });
  });

  it('leaves lines alone that say it, and has an end', () => {
    const told = new SeenProcesses();
    told.complete({ event: 'fork', parent_pid: 2, child_pid: 3, time });
    for (let pid = 10; pid < 100_010; pid++) told.complete({ event: 'fork', parent_pid: 2, child_pid: pid, time });
    assert.deepEqual(told.complete(ending(3)), ending(3), 'the oldest is forgotten');
    assert.deepEqual(told.complete(ending(10, { comm: 'x' })), ending(10, { comm: 'x' }));
  });
});

describe('the summary', () => {
  it('says how many of which kind, how fast, and what was lost', () => {
    const tally = new EventTally();
    assert.equal(tally.words(0), '0 events in 0.0 s (0.0 a second); none lost');
    for (let i = 0; i < 30; i++) tally.count(exit({}));
    tally.count({ event: 'fork', child_pid: 1, parent_pid: 1, time });
    assert.equal(tally.words(2000), '31 events in 2.0 s (16 a second): 30 exit, 1 fork; none lost');
    tally.count({ event: 'lost', count: 7, time });
    tally.unread = 1;
    assert.equal(tally.words(10_000), '31 events in 10.0 s (3.1 a second): 30 exit, 1 fork; 7 LOST; 1 line not understood');
  });
});
