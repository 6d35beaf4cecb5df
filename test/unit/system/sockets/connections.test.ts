import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { Connections } from '../../../../src/system/sockets/connections.ts';
import type { Holder } from '../../../../src/system/sockets/holder.ts';

const ROOT: Holder = { kind: 'root' };
const user = (uid: number | undefined): Holder => ({ kind: 'user', uid });

function world(): { connections: Connections; come: (holder: Holder) => Socket } {
  const connections = new Connections({ open: 8, busy: 6, busyOfUser: 3 });
  const come = (holder: Holder): Socket => {
    const socket = new Socket();
    connections.add(socket, holder);
    return socket;
  };
  return { connections, come };
}

test('orders of one user, and of all users together, leave root its places', () => {
  const { connections, come } = world();
  const answers = (holder: Holder, count: number) => Array.from({ length: count }, () => connections.markBusy(come(holder)));
  assert.deepEqual(answers(user(1), 4), [undefined, undefined, undefined, { kind: 'user', limit: 3 }]);
  // As many users as there are subordinate ids.
  assert.deepEqual(answers(user(2), 2), [undefined, undefined]);
  assert.deepEqual(answers(user(3), 2), [undefined, { kind: 'all', limit: 6 }]);
  assert.deepEqual(answers(user(undefined), 1), [{ kind: 'all', limit: 6 }]);
  assert.deepEqual(answers(ROOT, 6), [undefined, undefined, undefined, undefined, undefined, undefined]);
  assert.deepEqual(answers(ROOT, 1), [{ kind: 'all', limit: 6 }]);
});

test('a new connection closes neither itself, nor one of root, nor one of a user who has fewer', () => {
  const { connections, come } = world();
  const roots = [come(ROOT), come(ROOT)];
  const modest = come(user(1));
  const crowd = Array.from({ length: 20 }, () => come(user(2)));
  assert.deepEqual(
    crowd.map(({ destroyed }) => destroyed),
    crowd.map((_, i) => i < 13),
  );
  // Each with a number of its own: the oldest goes.
  const many = Array.from({ length: 20 }, (_, i) => come(user(100 + i)));
  assert.equal(many.at(-1)?.destroyed, false);
  assert.ok(roots.every(({ destroyed }) => !destroyed));
  assert.equal(modest.destroyed, true);
  // Those whose orders are being carried out stay.
  const busy = Array.from({ length: 2 }, () => {
    const one = come(user(7));
    assert.equal(connections.markBusy(one), undefined);
    return one;
  });
  for (let i = 0; i < 30; i++) assert.equal(come(user(7)).destroyed, false);
  assert.ok(busy.every(({ destroyed }) => !destroyed));
});

test('a connection that may be closed is closed only for one of its own kind, and only if places are short', () => {
  const { connections, come } = world();
  const served = (holder: Holder, mayGo?: (other: Socket) => boolean) => {
    const socket = come(holder);
    return { socket, crowd: connections.markBusy(socket, mayGo) };
  };
  const [roots, his, others] = [served(ROOT), served(user(1)), served(user(2))];
  const all = [roots, his, others].map(({ socket }) => socket);
  const anyOf = (other: Socket): boolean => all.includes(other);
  for (let i = 0; i < 2; i++) assert.equal(served(user(1), anyOf).crowd, undefined);
  assert.ok(all.every(({ destroyed }) => !destroyed));
  assert.equal(served(user(1), anyOf).crowd, undefined);
  assert.deepEqual(
    all.map(({ destroyed }) => destroyed),
    [false, true, false],
  );
  assert.deepEqual(served(user(1), anyOf).crowd, { kind: 'user', limit: 3 });
  for (let i = 0; i < 2; i++) assert.equal(served(user(3)).crowd, undefined);
  assert.equal(served(user(4), anyOf).crowd, undefined);
  assert.ok(others.socket.destroyed && !roots.socket.destroyed);
  assert.deepEqual(served(user(4), anyOf).crowd, { kind: 'all', limit: 6 });
});
