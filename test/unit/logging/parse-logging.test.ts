import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfigText } from '../../../src/config/config-file.ts';
import { ConfigError } from '../../../src/core/errors.ts';
import { type LoggingOptions, parseLogging } from '../../../src/logging/parse-logging.ts';

const defaults: LoggingOptions = {
  file: '/var/log/monitor_service.log',
  maxBytes: 5120 * 1024,
  filesToKeep: 5,
  level: 'info',
  format: 'text',
  syslog: 'error',
  mode: 0o640,
  group: undefined,
};

test('the documented defaults', () => {
  assert.deepEqual(parse(''), { options: defaults, problems: [] });
});

test('every key, in the spellings that people use', () => {
  const text = [
    'file = /srv/my logs/../m.log   # here',
    'max_log_size = 10',
    'log_files_to_keep = 0',
    'level = WARN',
    'format = JSON',
    'syslog = off',
    'mode = 600',
    'group = adm',
  ].join('\n');
  assert.deepEqual(parse(text), {
    options: {
      file: '/srv/m.log',
      maxBytes: 10_240,
      filesToKeep: 0,
      level: 'warning',
      format: 'json',
      syslog: 'off',
      mode: 0o600,
      group: 'adm',
    },
    problems: [],
  });
});

test('an empty file means no file', () => {
  assert.equal(parse('file =').options.file, undefined);
});

test('what cannot be is a problem of its key', () => {
  for (const line of [
    'file = monitor.log',
    'file = /var/log/',
    'file = /var/log/a:b',
    'file = /var/log/a\\b',
    'max_log_size = 0',
    'log_files_to_keep = -1',
    'level = loud',
    'mode = 0666',
    'mode = 0755',
    'mode = 640x',
    'mode = 0400',
  ]) {
    const { problems } = parse(line);
    assert.deepEqual(
      problems.map(({ severity, key }) => [severity, key]),
      [['error', line.split(' ')[0]]],
      line,
    );
  }
});

function parse(text: string) {
  const document = loadConfigText('f', `[logging]\n${text}\n`);
  const options = parseLogging(document.section('logging'));
  try {
    return { options, problems: document.finish() };
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return { options, problems: error.problems };
  }
}
