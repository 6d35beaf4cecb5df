import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ControlClient } from '../../../src/control/client.ts';
import { runCommand } from '../../helpers/cli-world.ts';
import { asRoot } from '../../helpers/requirement.ts';
import { strangersSocket } from '../../helpers/strangers-socket.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { waitFor } from '../../helpers/wait-for.ts';

const FORGED =
  '{"outcome":"recovered","attempts":1,"durationMs":1,"until":null,"reset":["a"],"released":["a"],"changes":[],"warnings":[]}';

test('a process of a stranger behind the socket is sent nothing and believed in nothing', asRoot, async (t) => {
  const folder = join(tempDir(t), 'run');
  mkdirSync(folder);
  const { socket, pid, heard } = await strangersSocket(t, folder, FORGED);
  // The operator has taken the folder back; the stranger still sits in it. And one that everybody may write to.
  for (const [owner, mode] of [
    [0, 0o755],
    [0, 0o1777],
    [0, 0o777],
    [4711, 0o777],
    [1234, 0o755],
  ] as const) {
    chownSync(folder, owner, 0);
    chmodSync(folder, mode);
    const daemon = new ControlClient(socket);
    const asked = [daemon.recover('a'), daemon.status(), daemon.reload(), daemon.hold('a', undefined, 'why')];
    for (const ask of asked)
      await assert.rejects(ask, (error: Error & { code?: string }) => {
        assert.ok(error.message.startsWith(`no daemon answers on ${socket}: "`), error.message);
        assert.ok(error.message.endsWith(` (pid ${pid}) of user 4711 listens there, and was sent nothing`), error.message);
        return error.code === 'CONTROL_NOT_RUNNING';
      });
    const config = join(folder, '../config.ini');
    writeFileSync(config, `[control]\nsocket = ${socket}\n[monitor]\nstate_dir = ${join(folder, '../state')}\n`, {
      mode: 0o600,
    });
    for (const command of [['release', '--all'], ['reload'], ['hold', 'a'], ['restart', 'a']]) {
      const { stderr } = await runCommand([...command, '--config', config]);
      assert.match(stderr, /of user 4711 listens there, and was sent nothing/);
    }
  }
  // A daemon of the user to whom root gave the folder is believed; it hears its first word now.
  chownSync(folder, 4711, 0);
  chmodSync(folder, 0o755);
  assert.deepEqual(await new ControlClient(socket).recover('b'), { kind: 'recovered', attempts: 1, durationMs: 1 });
  await waitFor('what it heard', () => heard() !== '');
  assert.equal(heard().match(/ HTTP\/1\.1/g)?.length, 1, heard());
  assert.match(heard(), /^POST \/v1\/recoveries [\s\S]*\{"name":"b"\}$/);
});
