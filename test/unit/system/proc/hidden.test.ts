import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { hiddenProcesses } from '../../../../src/system/proc/hidden.ts';
import { missing, skipUnless } from '../../../helpers/requirement.ts';

const plain = { capabilities: '0000000000000000', gids: '1000\t1000\t1000\t1000', groups: '1000 27 ' };

function hidden(options: string, { capabilities, gids, groups } = plain, over = ''): string | undefined {
  const mounts = `21 1 8:1 / / rw - ext4 /dev/sda1 rw,hidepid=2\n22 21 0:5 / /proc rw,nosuid shared:5 - proc proc ${options}\n${over}`;
  const status = `Name:\tnode\nUid:\t1000\t1000\t1000\t1000\nGid:\t${gids}\nGroups:\t${groups}\nCapEff:\t${capabilities}\n`;
  return hiddenProcesses({
    text: (file) => (file === 'self/status' ? status : undefined),
    longText: (file) => (file === 'self/mountinfo' ? { text: mounts, whole: true } : undefined),
  });
}

test('a /proc that hides is known by its options, in the words of every kernel', () => {
  for (const mode of ['1', '2', '4', 'noaccess', 'invisible', 'ptraceable'])
    assert.match(hidden(`rw,hidepid=${mode}`) ?? '', new RegExp(`hidepid=${mode} .*CAP_SYS_PTRACE`));
  for (const mode of ['rw', 'rw,hidepid=0', 'rw,hidepid=off', 'rw,gid=27']) assert.equal(hidden(mode), undefined, mode);
  assert.equal(hidden('rw,hidepid=2', plain, '30 22 0:6 / /proc rw - proc proc rw\n'), undefined, 'another one over it');
  assert.match(hidden('rw', plain, '30 22 0:6 / /proc rw - proc proc rw,hidepid=invisible\n') ?? '', /invisible/);
  assert.equal(hidden('rw', plain, '30 22 0:6 / /proc/x rw - proc proc rw,hidepid=2\n'), undefined, 'elsewhere');
});

test('who may trace, or is in the group, sees all', () => {
  const root = { ...plain, gids: '0\t0\t0\t0', groups: '' };
  assert.equal(hidden('rw,hidepid=2', { ...plain, capabilities: '000001ffffffffff' }), undefined);
  assert.notEqual(hidden('rw,hidepid=2', { ...plain, capabilities: '000001fffff7ffff' }), undefined, 'all but that one');
  assert.equal(hidden('rw,gid=27,hidepid=2'), undefined);
  assert.notEqual(hidden('rw,gid=28,hidepid=2'), undefined);
  assert.equal(hidden('rw,hidepid=2', root), undefined, 'the group is 0 unless it is said');
  assert.notEqual(hidden('rw,gid=27,hidepid=2', root), undefined);
  assert.notEqual(hidden('rw,gid=27,hidepid=ptraceable'), undefined, 'there no group counts');
});

const isRoot = process.geteuid?.() === 0;
const mountable = isRoot && spawnSync('unshare', ['-m', 'mount', '-t', 'proc', 'proc', '/proc']).status === 0;

test('as the kernel has it', { skip: skipUnless(mountable ? undefined : 'cannot mount /proc') || missing('setpriv') }, () => {
  const script = `import { hiddenProcesses } from ${JSON.stringify(join(import.meta.dirname, '../../../../src/system/proc/hidden.ts'))};
    console.log(hiddenProcesses());`;
  const node = [process.execPath, '--input-type=module', '-e', script];
  // Another user of this machine may not be let into the folder of the sources: only the group is changed.
  const limited = ['setpriv', '--regid=65534', '--clear-groups', '--bounding-set=-sys_ptrace', '--inh-caps=-sys_ptrace'];
  const run = (mode: string, before: readonly string[]): string => {
    const mount = 'mount -t proc -o "$1" proc /proc && shift && exec "$@"';
    const child = spawnSync('unshare', ['-m', 'sh', '-c', mount, 'sh', mode, ...before, ...node], { encoding: 'utf8' });
    assert.equal(child.status, 0, child.stderr);
    return child.stdout.trim();
  };
  assert.match(run('hidepid=2', limited), /hidepid=(2|invisible) and shows no processes/);
  assert.equal(run('hidepid=0', limited), 'undefined');
  assert.equal(run('hidepid=2', []), 'undefined');
});
