import { spawn } from 'node:child_process';
import { closeDescriptor, loadLibc } from '../../src/system/native/libc.ts';
import { pidfdOpen } from '../../src/system/native/pidfd.ts';

// The least that a Node program can do to keep a program running: `bare-watcher.ts PROGRAM` waits on its pidfd and executes it anew
// when that tells of its death. Ends with its standard input; the program goes on.

const [program = ''] = process.argv.slice(2);
const libc = loadLibc();
process.stdin.on('end', () => process.exit()).resume();

function start(): void {
  const child = spawn(program, { detached: true, stdio: 'ignore' });
  const opened = pidfdOpen(child.pid ?? 0);
  if (libc === undefined || opened.kind !== 'opened') throw new Error('no pidfd here');
  const watch = libc.watch(opened.fd, () => {
    watch.stop();
    closeDescriptor(opened.fd);
    start();
  });
}

console.log('ready');
start();
