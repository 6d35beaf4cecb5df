import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadConfigFile, loadConfigText } from '../../../src/config/config-file.ts';
import { describeChanges } from '../../../src/config/describe-changes.ts';
import { ConfigError, formatProblem } from '../../../src/core/errors.ts';
import { type EventStreamOptions, parseEvents } from '../../../src/stream/parse-events.ts';
import { createCertificates } from '../../helpers/certificates.ts';
import { missing } from '../../helpers/requirement.ts';
import { tempDir } from '../../helpers/temp-dir.ts';

/** What a section says, and what is wrong with it. */
function parse(lines: string): { options: EventStreamOptions; problems: string[] } {
  const document = loadConfigText('c', `[events]\n${lines}\n`);
  const options = parseEvents(document.section('events'), {});
  const problems = document.problems.map((problem) => `${problem.severity} ${formatProblem('c', problem)}`);
  return { options, problems };
}

describe('[events]', () => {
  it('has its defaults', () => {
    assert.deepEqual(parse(''), {
      options: {
        socket: { path: '/run/monitor_service/events.sock', mode: 0o660, group: undefined },
        tcp: undefined,
        types: new Set(['exec', 'exit', 'fork']),
        clients: 10,
      },
      problems: [],
    });
  });

  it('takes what is set', () => {
    const { options, problems } = parse(
      'socket = /run/e.sock\nsocket_mode = 0666\nsocket_group = adm\ntcp = :8080\nauth = a;b #c"\nevents = exit, coredump\nclients = 20',
    );
    assert.deepEqual(options, {
      socket: { path: '/run/e.sock', mode: 0o666, group: 'adm' },
      tcp: { host: '127.0.0.1', port: 8080, auth: 'a;b #c"', tls: undefined },
      types: new Set(['exit', 'coredump']),
      clients: 20,
    });
    assert.deepEqual(problems.length, 1);
    assert.match(problems[0] ?? '', /^warning c:6: \[events\] auth: extends to the end of the line/);
  });

  it('knows where to listen', () => {
    for (const [text, host, port] of [
      ['8080', '127.0.0.1', 8080],
      [':8080', '127.0.0.1', 8080],
      ['127.0.0.2:1', '127.0.0.2', 1],
      ['[::1]:65535', '::1', 65_535],
      ['localhost:80', 'localhost', 80],
    ] as const) {
      const { options, problems } = parse(`tcp = ${text}\nauth = x`);
      assert.deepEqual([options.tcp?.host, options.tcp?.port, problems], [host, port, []], text);
    }
    const wrong = ['0', '65536', '127.0.0.1:0', 'host', 'host:', '[host]:1', '[::1:80', '::1:80', 'a b:1', '-1', '1.2.3.4:1:2'];
    for (const text of [...wrong, '1.2.3:80', 'user@host:80', 'host/x:80', '*:80']) {
      const expected = 'expected HOST:PORT, [IPv6]:PORT or PORT (1 to 65535)';
      const problem = `error c:2: [events] tcp: invalid value "${text}", ${expected}`;
      assert.deepEqual(parse(`tcp = ${text}\nauth = x`).problems, [problem]);
    }
  });

  it('does not open a port without a password, and warns of one without encryption', () => {
    assert.deepEqual(parse('tcp = 8080').problems, ['error c:2: [events] tcp: needs a password: set auth or auth_file']);
    assert.match(parse('tcp = 8080\nauth =').problems.join(), /needs a password/);
    for (const host of ['0.0.0.0', '[::]', '192.0.2.1', 'example.org', '127.example.org'])
      assert.match(parse(`tcp = ${host}:8080\nauth = x`).problems.join(), /^warning .*unencrypted over the network/, host);
    assert.match(parse(`tcp = 8080\nauth = ${'x'.repeat(257)}`).problems.join(), /^error c:3: .*1 to 256 bytes/);
    assert.match(parse('auth = x').problems.join(), /^warning c:2: \[events\] auth: has no effect without tcp/);
  });

  it('reads the password from a file', (t) => {
    const file = join(tempDir(t), 'password');
    writeFileSync(file, 'of the file\n', { mode: 0o600 });
    assert.equal(parse(`tcp = 1\nauth_file = ${file}`).options.tcp?.auth, 'of the file');
    assert.match(parse(`tcp = 1\nauth_file = ${file}\nauth = x`).problems.join(), /^warning c:4: .*auth_file is used/);
    writeFileSync(file, 'two\nlines\n');
    assert.match(parse(`tcp = 1\nauth_file = ${file}`).problems.join(), /^error c:3: .*one line/);
    chmodSync(file, 0o604);
    writeFileSync(file, '\n');
    const { problems } = parse(`tcp = 1\nauth_file = ${file}`);
    assert.match(problems.join('\n'), /warning .*read by everybody/);
    assert.match(problems.join('\n'), /error .*one line of 1 to 256 bytes/);
    assert.match(parse(`tcp = 1\nauth_file = ${file}.none`).problems.join('\n'), /^error c:3: .*cannot read/);
  });

  it('says what cannot be used, and never the password', () => {
    for (const [line, message] of [
      ['socket = here', /socket: invalid value .*, expected the absolute path of a file/],
      ['socket_mode = 888', /socket_mode: invalid value "888", expected permissions in octal, such as 0660/],
      ['events = exec, start', /events: invalid value "start", expected a list of exec, exit/],
      ['clients = 0', /clients: invalid value/],
      ['tls_cert = /x\ntcp = 1\nauth = s3cret', /tls_cert: has no effect alone: set tls_key too/],
    ] as const) {
      const problems = parse(line).problems.join('\n');
      assert.match(problems, message);
      assert.doesNotMatch(problems, /s3cret/);
    }
    const [before, after] = ['one secret', 'other secret'].map((auth) => {
      const document = loadConfigText('c', `[events]\ntcp = 1\nauth = ${auth}\n`);
      parseEvents(document.section('events'), {});
      return document;
    });
    assert.ok(before && after);
    assert.deepEqual(describeChanges(before, after), ['[events] auth: changed']);
  });

  it('with a password makes the file one to be kept secret', (t) => {
    const file = join(tempDir(t), 'c.ini');
    writeFileSync(file, '[events]\nauth = x\n', { mode: 0o644 });
    chmodSync(file, 0o644);
    const document = loadConfigFile(file);
    parseEvents(document.section('events'), {});
    assert.match(
      document
        .complete()
        .map(({ problem }) => problem)
        .join(),
      /holds a password and is readable by everybody/,
    );
  });

  it('takes a certificate with its key', { skip: missing('openssl') }, (t) => {
    const dir = tempDir(t);
    createCertificates(dir, ['IP:127.0.0.1']);
    const lines = `tcp = 0.0.0.0:1\nauth = x\ntls_cert = ${dir}/server.pem\ntls_key = ${dir}/server.key`;
    chmodSync(join(dir, 'server.key'), 0o600);
    const { options, problems } = parse(lines);
    assert.deepEqual(problems, []);
    assert.match(options.tcp?.tls?.cert ?? '', /BEGIN CERTIFICATE/);
    assert.match(
      parse(lines.replace('server.key', 'ca.pem')).problems.join(),
      /error c:4: \[events\] tls_cert: cannot be used with tls_key: /,
    );
    assert.throws(() => {
      const document = loadConfigText('c', `[events]\ntls_key = ${dir}/server.key\n`);
      parseEvents(document.section('events'), {});
      document.finish();
    }, ConfigError);
  });
});
