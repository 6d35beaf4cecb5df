import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuseOwner } from '../../../../src/system/files/fuse-owner.ts';

const MOUNTS = `22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
36 22 0:50 / /home/joe rw,nosuid,nodev shared:5 - fuse.sshfs joe@h:/x - rw,user_id=1000,group_id=1000,allow_other
37 22 0:51 / /srv/gluster rw shared:6 master:1 - fuse.glusterfs a:/v rw,user_id=0,group_id=0,allow_other
38 22 0:52 / /var/log rw - virtiofs logs rw
39 22 0:53 / /odd rw - fuse odd rw
40 22 0:300 / /many rw - fuse many rw,user_id=4711
`;

test('the kernel’s list says who mounted a FUSE file system', () => {
  assert.deepEqual(
    [50, 51, 52, 53, 54].map((minor) => fuseOwner(minor, MOUNTS)),
    [undefined, 0, 0, undefined, undefined],
    'a source of which the words cannot be told apart is not root’s',
  );
  assert.equal(fuseOwner(50, MOUNTS.replace('h:/x - rw', 'h:/x rw')), 1000);
  // Minor 300 as stat(2) packs it.
  assert.equal(fuseOwner(((300 & ~0xff) << 12) | (300 & 0xff), MOUNTS), 4711);
});
