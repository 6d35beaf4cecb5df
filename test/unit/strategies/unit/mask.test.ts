import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maskWarning } from '../../../../src/strategies/unit/mask.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';
import { FakeSystemd } from '../../../helpers/fake-systemd.ts';
import { managed, never } from '../../../helpers/strategy-parts.ts';

test('how a mask is reported, by what the strategy does about it', async () => {
  const systemd = new FakeSystemd(new FakeClock());
  systemd.add('maskd.service', { loadState: 'masked' });
  systemd.add('xu.service', { loadState: 'masked' });
  systemd.add('up.service');
  const no = (unit: string): string => `${unit} is masked: it is not restarted, nor started by start_command`;
  const yes = (unit: string, starter: string): string =>
    `${unit} is masked, so it should not run; ${starter} starts it nevertheless`;
  const path = managed('row', '/opt/m/maskd');
  const other = managed('maskd', 'up');
  for (const [strategy, process, lastUnit, warning] of [
    ['service', managed('maskd'), undefined, no('maskd.service')],
    ['service', other, undefined, undefined],
    ['auto', managed('maskd'), undefined, no('maskd.service')],
    ['auto', path, undefined, no('maskd.service')],
    ['auto', other, undefined, undefined],
    ['auto', managed('xud'), 'xu.service', no('xu.service')],
    ['auto', managed('xud'), 'up.service', undefined],
    ['process', path, undefined, yes('maskd.service', 'restart_strategy = process')],
    ['process', other, undefined, yes('maskd.service', 'restart_strategy = process')],
    ['process', managed('xud'), 'xu.service', yes('xu.service', 'only start_command')],
    ['custom', path, undefined, yes('maskd.service', 'restart_strategy = custom')],
    ['custom', managed('xud'), 'xu.service', undefined],
  ] as const)
    assert.equal(await maskWarning(systemd, strategy, process, lastUnit, never), warning, `${strategy} ${process.systemName}`);
  systemd.silent = 'no answer';
  assert.equal(await maskWarning(systemd, 'process', path, undefined, never), undefined);
});
