import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { skipUnless } from '../helpers/requirement.ts';
import type { StrategyCall, StrategyReply } from '../helpers/strategy-call.ts';
import { bootSystemdContainer, containerProblem, type SystemdContainer } from '../helpers/systemd-container.ts';
import { waitFor } from '../helpers/wait-for.ts';

describe('service strategy under a real systemd', { skip: skipUnless(containerProblem()), concurrency: 4 }, () => {
  let container: SystemdContainer;

  before(async () => {
    container = await bootSystemdContainer();
    for (const [name, text] of Object.entries(UNITS))
      writeFileSync(container.path(`/etc/systemd/system/${name}.service`), text);
    await container.read(['systemctl', 'mask', 'masked']);
    await container.read(['systemctl', 'daemon-reload']);
    await container.read(['systemctl', 'enable', 'plain', 'systemd-reboot-test']);
  });
  after(() => container?.stop());

  const use = async (name: string, how: Partial<StrategyCall> = {}): Promise<StrategyReply> => {
    const call: StrategyCall = { name, section: { restart_strategy: 'service', command_timeout: '90' }, ...how };
    const script = `${container.project}/test/helpers/strategy-call.ts`;
    return JSON.parse(await container.read([container.node, script, JSON.stringify(call)], { env: container.compiled }));
  };
  const property = async (unit: string, name: string): Promise<string> =>
    (await container.read(['systemctl', 'show', '--value', `--property=${name}`, unit])).trim();

  test('an inactive unit is started, an active one restarted; an alias is the same target', async () => {
    const started = await use('plain');
    assert.deepEqual(started.outcome, { kind: 'restarted', detail: 'systemctl start plain.service' });
    assert.deepEqual(started.health, { kind: 'healthy' });
    const before = await property('plain', 'MainPID');
    const restarted = await use('other-name.service');
    assert.deepEqual(restarted.resolution, { kind: 'target', key: 'plain', description: 'unit plain.service' });
    assert.deepEqual(restarted.preview.stops, [`plain.service: active (running), main process ${before}`]);
    assert.deepEqual(restarted.outcome, { kind: 'restarted', detail: 'systemctl restart plain.service' });
    assert.deepEqual(restarted.health, { kind: 'healthy' });
    assert.notEqual(await property('plain', 'MainPID'), before);
  });

  test('the unit’s own start limit never prevents a start', async () => {
    for (let i = 0; i < 4; i++) {
      const { outcome, health } = await use('limited');
      assert.equal(outcome?.kind, 'restarted', JSON.stringify(outcome));
      assert.deepEqual(health, { kind: 'healthy' });
    }
    await container.exec(['systemctl', 'restart', 'limited']);
    await container.exec(['systemctl', 'restart', 'limited']);
    await container.exec(['systemctl', 'restart', 'limited']);
    assert.equal(await property('limited', 'ActiveState'), 'failed');
    assert.deepEqual((await use('limited')).outcome, {
      kind: 'restarted',
      detail: 'systemctl start limited.service after reset-failed',
    });
  });

  test('a unit that systemd is restarting itself is waited for, not restarted on top', async () => {
    await use('self-healing');
    await container.read(['systemctl', 'kill', '--signal=KILL', 'self-healing']);
    await waitFor('auto-restart', async () => (await property('self-healing', 'SubState')) === 'auto-restart');
    const { outcome, health } = await use('self-healing');
    assert.deepEqual(outcome, { kind: 'restarted', detail: 'systemd restarted self-healing.service itself' });
    assert.deepEqual(health, { kind: 'healthy' });
    assert.equal(await property('self-healing', 'NRestarts'), '1');
  });

  test('a start that is under way is joined; a stop that is under way is waited for', async () => {
    await container.read(['systemctl', 'start', '--no-block', 'slow']);
    await waitFor('activating', async () => (await property('slow', 'ActiveState')) === 'activating');
    const pid = await property('slow', 'MainPID');
    assert.deepEqual((await use('slow', { decided: '/run/slow-may-start' })).health, { kind: 'healthy' });
    assert.equal(await property('slow', 'MainPID'), pid);
    await container.read(['systemctl', 'stop', '--no-block', 'slow']);
    await waitFor('deactivating', async () => (await property('slow', 'ActiveState')) === 'deactivating');
    const after = await use('slow', { decided: '/run/slow-may-stop' });
    assert.deepEqual(after.outcome, { kind: 'restarted', detail: 'systemctl start slow.service' });
    assert.deepEqual(after.health, { kind: 'healthy' });
  });

  test('a start that hangs fails at command_timeout', async () => {
    const { outcome, restartMs } = await use('hanging', { section: { restart_strategy: 'service', command_timeout: '2' } });
    assert.equal(outcome?.kind, 'failed');
    assert.ok(restartMs >= 2000 && restartMs < 60_000, `${restartMs}`);
  });

  test('a unit that crashes at once is not healthy', async () => {
    const names = ['crashing', 'crash-loop', 'slow-crash-loop'];
    const replies = await Promise.all(names.map((name) => use(name)));
    for (const [i, { outcome, health }] of replies.entries()) {
      assert.equal(outcome?.kind, 'restarted', names[i]);
      assert.equal(health?.kind, 'unhealthy', `${names[i]}: ${JSON.stringify(health)}`);
    }
  });

  test('a one-shot that has done its work is healthy, whether or not it keeps its state', async () => {
    assert.deepEqual((await use('oneshot-stays')).health, { kind: 'healthy' });
    assert.deepEqual((await use('oneshot-goes')).health, { kind: 'healthy' });
    assert.equal((await use('oneshot-fails')).outcome?.kind, 'failed');
  });

  test('masked, broken and unknown units fail with a clear line', async () => {
    for (const [name, reason] of [
      ['masked', 'masked.service is masked'],
      ['broken', 'systemd cannot load broken.service (bad-setting)'],
      ['ghost', 'systemd knows no unit ghost.service'],
    ] as const) {
      assert.deepEqual((await use(name)).outcome, { kind: 'failed', reason });
    }
  });

  test('what must not be touched is refused, behind an alias too, and the machine stays up', async () => {
    await container.read(['systemctl', 'start', 'bystander']);
    const pid = await property('bystander', 'MainPID');
    for (const name of [
      'bystande*',
      'poweroff.target',
      'poweroff',
      'runlevel0.target',
      'reboot.service',
      '-Hroot@host',
      'innocent',
    ]) {
      const { resolution, outcome, preview } = await use(name);
      assert.equal(resolution.kind, 'refused', name);
      assert.equal(outcome?.kind, 'failed', name);
      assert.equal(preview.refusals.length, 1, name);
    }
    assert.equal((await use('systemd-journald', { own: false })).resolution.kind, 'refused');
    assert.equal((await use('systemd-journald', { look: true })).resolution.kind, 'target');
    assert.equal(await property('bystander', 'MainPID'), pid);
    assert.match((await container.exec(['systemctl', 'is-system-running'])).stdout, /running|degraded/);
  });

  test('the unit that runs the daemon is refused', async () => {
    const script = `${container.project}/test/helpers/strategy-call.ts`;
    const call: StrategyCall = { name: 'wrapper', section: { restart_strategy: 'service' } };
    const unit = ['systemd-run', '--quiet', '--wait', '--pipe', '--collect', '--unit=wrapper'];
    // The shell stays in between: the daemon need not be the unit's main process.
    const line = `${container.node} ${script} '${JSON.stringify(call)}'; true`;
    const reply: StrategyReply = JSON.parse(await container.read([...unit, 'sh', '-c', line]));
    assert.deepEqual(reply.resolution, { kind: 'refused', reason: 'wrapper.service is the unit that monitor_service runs in' });
    assert.equal(reply.outcome?.kind, 'failed');
  });

  test('auto: a known unit is a service, by alias too; an unknown one is a process', async () => {
    const auto = { section: {}, look: true };
    assert.deepEqual((await use('other-name', auto)).resolution, {
      kind: 'target',
      key: 'plain',
      description: 'unit plain.service',
    });
    assert.deepEqual((await use('ghost', auto)).resolution, { kind: 'target', key: 'ghost', description: 'process ghost' });
    assert.equal((await use('poweroff.target', auto)).resolution.kind, 'refused');
  });
});

const UNITS: Readonly<Record<string, string>> = {
  plain: '[Service]\nExecStart=sleep 1000\n[Install]\nWantedBy=multi-user.target\nAlias=other-name.service\n',
  bystander: '[Service]\nExecStart=sleep 1000\n',
  limited: '[Unit]\nStartLimitIntervalSec=600\nStartLimitBurst=2\n[Service]\nExecStart=sleep 1000\n',
  // Long enough for a busy machine to call a program that sees it wait.
  'self-healing': '[Service]\nExecStart=sleep 1000\nRestart=always\nRestartSec=20\n',
  slow: [
    '[Service]',
    'Type=notify',
    'NotifyAccess=all',
    // Neither its start nor its stop is over before somebody has looked at it, however long that takes.
    `ExecStart=bash -c "until_made() { until [ -e $$1 ]; do sleep 0.1; done; }; trap 'until_made /run/slow-may-stop; exit 0' TERM; until_made /run/slow-may-start; systemd-notify --ready; until_made /run/never"`,
    'KillMode=mixed',
    '',
  ].join('\n'),
  hanging: '[Service]\nType=notify\nTimeoutStartSec=infinity\nExecStart=sleep 1000\n',
  crashing: '[Service]\nExecStart=sh -c "sleep 0.1; exit 3"\n',
  'crash-loop': '[Unit]\nStartLimitIntervalSec=0\n[Service]\nExecStart=sh -c "sleep 0.05; exit 3"\nRestart=always\n',
  'slow-crash-loop':
    '[Unit]\nStartLimitIntervalSec=0\n[Service]\nExecStart=sh -c "sleep 0.6; exit 3"\nRestart=always\nRestartSec=0\n',
  'oneshot-stays': '[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=true\n',
  'oneshot-goes': '[Service]\nType=oneshot\nExecStart=true\n',
  'oneshot-fails': '[Service]\nType=oneshot\nExecStart=false\n',
  broken: '[Service]\nType=simple\n',
  /** Stands for what ends the machine: its name is judged, not what it does. */
  'systemd-reboot-test':
    '[Service]\nType=oneshot\nExecStart=true\n[Install]\nWantedBy=multi-user.target\nAlias=innocent.service\n',
};
