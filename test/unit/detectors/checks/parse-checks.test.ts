import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { loadConfigText } from '../../../../src/config/config-file.ts';
import { describeChanges } from '../../../../src/config/describe-changes.ts';
import { formatProblem } from '../../../../src/core/errors.ts';
import { type ParsedCheck, parseChecks } from '../../../../src/detectors/checks/parse-checks.ts';
import { parseType, typeKeys, typeNames } from '../../../../src/detectors/checks/types/index.ts';
import { PlainSection } from '../../../helpers/plain-section.ts';

// The sections `[check.NAME]`, and what is wrong with them.

function parsed(text: string): { checks: readonly ParsedCheck[]; problems: string[] } {
  const document = loadConfigText('f', text);
  document.member('process', undefined).has('system_name');
  const checks = parseChecks(document);
  return { checks, problems: document.complete().map((problem) => formatProblem('f', problem)) };
}

describe('the sections of checks', () => {
  test('have these keys and defaults, and what they lack from [check.default]', () => {
    const { checks, problems } = parsed(
      `[process.web]
system_name = nginx
[check.default]
interval = 10
depends_on = uplink
[check.web]
type = unit
process = web
[check.uplink]
type = command
command = ping -c 1 192.0.2.1 ; : %s
interval = 5.5
timeout = 0.5
failure_threshold = 1
success_threshold = 1
severity = warning
start_grace = 0
description = the way out
runbook = https://wiki.example.test/uplink
show_target = no
`,
    );
    assert.deepEqual(problems, []);
    const [web, uplink] = checks;
    assert.deepEqual(web?.settings, {
      name: 'web',
      processName: 'web',
      systemName: 'nginx',
      intervalMs: 10_000,
      schedule: undefined,
      retryIntervalMs: 10_000,
      timeoutMs: 5000,
      failureThreshold: 3,
      successThreshold: 2,
      severity: 'critical',
      dependsOn: ['uplink'],
      startGraceMs: 30_000,
      description: undefined,
      runbook: undefined,
      showTarget: true,
      isEnabled: true,
    });
    assert.deepEqual([web?.type, web?.options], ['unit', { unit: 'nginx.service', state: 'active' }]);
    assert.deepEqual(uplink?.settings, {
      name: 'uplink',
      processName: undefined,
      systemName: 'uplink',
      intervalMs: 5500,
      schedule: undefined,
      retryIntervalMs: 5500,
      timeoutMs: 500,
      failureThreshold: 1,
      successThreshold: 1,
      severity: 'warning',
      dependsOn: [],
      startGraceMs: 0,
      description: 'the way out',
      runbook: 'https://wiki.example.test/uplink',
      showTarget: false,
      isEnabled: true,
    });
    assert.deepEqual(uplink?.options, { line: 'ping -c 1 192.0.2.1 ; : %s', exitCodes: 'simple' });
  });

  test('are all reported with what is wrong, and the others are run', () => {
    const { checks, problems } = parsed(
      `[process.web]
[check.a]
[check.b]
type = comand
command = true
[check.c]
type = command
[check.d]
type = unit
system_name = a b*
interval = 0
timeout = 5m
runbook = http://wiki/
[check.e]
type = unit
process = wbe
depends_on = fine, webb
[check.f]
type = unit
depends_on = g
[check.g]
type = unit
depends_on = h
[check.h]
type = unit
depends_on = f
[check.i]
type = unit
depends_on = i
[check.j]
type = unit
command = true
severity = warning
process = web
[check.fine]
type = unit
[check.asleep]
type = unit
enabled = false
[check.fine/certificate]
type = unit
system_name = fine
`,
    );
    assert.deepEqual(
      checks.map(({ settings }) => settings.name),
      ['e', 'j', 'fine'],
    );
    assert.deepEqual(problems, [
      'f:2: [check.a] type: is missing (expected one of url, tcp, dns, ping, process, unit, command, host, file, log, group)',
      'f:4: [check.b] type: invalid value "comand", expected url, tcp, dns, ping, process, unit, command, host, file, log or group; did you mean command?',
      'f:6: [check.c] command: is missing: type = command needs a command',
      'f:10: [check.d] system_name: invalid value, expected the name of a unit, such as nginx.service, backup.timer or app@1',
      'f:11: [check.d] interval: invalid value "0", expected seconds (1 to 86400)',
      'f:12: [check.d] timeout: invalid value "5m", expected seconds (0.1 to 300)',
      'f:13: [check.d] runbook: invalid value "http://wiki/", expected https://HOST/… without user and password',
      'f:16: [check.e] process: wbe has no section (did you mean web?)',
      'f:17: [check.e] depends_on: webb is neither a check nor a process with a section (did you mean web?)',
      'f:20: [check.f] depends_on: is a circle: f -> g -> h -> f (expected that no check depends on itself)',
      'f:23: [check.g] depends_on: is a circle: g -> h -> f -> g (expected that no check depends on itself)',
      'f:26: [check.h] depends_on: is a circle: h -> f -> g -> h (expected that no check depends on itself)',
      'f:29: [check.i] depends_on: is a circle: i -> i (expected that no check depends on itself)',
      'f:32: [check.j] command: has no effect: type is unit',
      'f:33: [check.j] severity: raises no alarm of its process: only a critical check does',
      'f:41: [check.fine/certificate] type: belongs to a check whose name has a / (expected none: it separates a check from one of its parts)',
    ]);
  });

  test('do not depend on the process whose alarm they raise, and do not raise it for its age', () => {
    const own = '[process.web]\n[check.x]\ntype = process\nprocess = web\n';
    assert.deepEqual(parsed(`${own}depends_on = web\n`).problems, [
      'f:5: [check.x] depends_on: names web, whose alarm it raises (expected others only)',
    ]);
    assert.deepEqual(parsed(`${own}age = 60\n`).problems, [
      'f:5: [check.x] age: cannot raise an alarm: a restart makes the process young again (set severity = warning, or no process)',
    ]);
    assert.deepEqual(parsed('[check.x]\ntype = process\nage = 60\n').problems, []);
  });

  test('have secrets that no reload shows, whatever types there are', () => {
    const of = (secret: string) => {
      const text = `[check.default]\nheader.X-Token = ${secret}\nauth_password = ${secret}\nsend = ${secret}\nbody = ${secret}\nproxy = http://u:${secret}@p:1\n[check.x]\ntype = unit\n`;
      const document = loadConfigText('f', text);
      parseChecks(document);
      assert.deepEqual(document.complete(), []);
      return document;
    };
    const changes = describeChanges(of('first'), of('second'));
    assert.equal(changes.length, 5);
    assert.doesNotMatch(changes.join('\n'), /first|second/);
  });

  test('name in `keys` what their types ask for, and no more', () => {
    for (const type of typeNames) {
      const asked = new Set<string>();
      const reader = new PlainSection({ type, command: 'true', url: 'http://x/', address: 'x:1' });
      const recording = new Proxy(reader, {
        get: (target, method: keyof PlainSection) => {
          const own = target[method];
          if (typeof own !== 'function') return own;
          return (key: string, ...rest: unknown[]) => {
            if (!['has', 'keys', 'warning', 'problem', 'refuse'].includes(method)) asked.add(key);
            return (own as (...args: unknown[]) => unknown).call(target, key, ...rest);
          };
        },
      });
      parseType(recording, { name: 'x', processName: undefined, systemName: 'x' }, () => true);
      const effective = typeKeys.filter((key) => {
        const { problems } = parsed(`[check.x]\ntype = ${type}\ncommand = true\n${key} = 1\n`);
        return !problems.some((problem) => problem.includes(`${key}: has no effect: type is`));
      });
      const isCompared = (key: string): boolean => !ASKED_OF_ALL.includes(key);
      assert.deepEqual([...asked].filter(isCompared).sort(), effective.filter(isCompared).sort(), type);
    }
  });
});

/** What is asked of every section, whatever its type, so that secrets are known as such; and the key of all types that one of them needs. */
const ASKED_OF_ALL = ['type', 'body', 'auth_password', 'proxy', 'send', 'timeout'];
