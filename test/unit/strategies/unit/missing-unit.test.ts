import assert from 'node:assert/strict';
import { test } from 'node:test';
import { missingUnit } from '../../../../src/strategies/unit/missing-unit.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';
import { FakeSystemd } from '../../../helpers/fake-systemd.ts';

test('a unit that systemd does not know is reported; if systemd does not answer, nothing is', async () => {
  const services = new FakeSystemd(new FakeClock());
  services.add('nginx.service');
  const ask = (name: string): Promise<string | undefined> => missingUnit(services, name, AbortSignal.timeout(5000));
  assert.equal(await ask('nginx'), undefined);
  assert.equal(await ask('ghost'), 'there is no unit ghost.service (expected one that systemd knows)');
  services.add('gone.service', { loadState: 'not-found', state: 'active', mainPid: 461 });
  assert.equal(
    await ask('gone'),
    'its unit file is gone: systemd could stop gone.service, but not start it again (pid 461 runs)',
  );
  assert.equal(await ask('web*'), undefined);
  services.silent = 'no answer after 5 s';
  assert.equal(await ask('ghost'), undefined);
  services.silent = undefined;
  services.available = false;
  assert.equal(await ask('ghost'), undefined);
});
