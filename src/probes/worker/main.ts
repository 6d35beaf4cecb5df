// The entry of the worker's process: standard input and output are its connection to the daemon.
import { NameResolver } from '../../system/names/resolver.ts';
import { nameThisProcess } from '../../system/proc/own-name.ts';
import { loadStarter } from '../../system/spawn/command.ts';
import { lookAtDns } from '../dns/look.ts';
import { lookAtUrl } from '../url/look.ts';
import type { Answer } from './answer.ts';
import { nextTime } from './cron.ts';
import { matchLines } from './match-lines.ts';
import { unusedUser } from './own-user.ts';
import { serve } from './serve.ts';
import { lookAtTcp } from './tcp.ts';
import type { Work } from './work.ts';

// If somebody started us without --disable-sigusr1, Node would open its debugger to every user of the machine.
process.on('SIGUSR1', () => {});
nameThisProcess('monitor_worker');

if (process.getuid?.() === 0) {
  // What we may need of our own files: others may not read them.
  await Promise.all([loadStarter(), import('node:https'), import('node:zlib')]);
  process.setgroups?.([]);
  const user = unusedUser();
  process.setgid?.(user);
  process.setuid?.(user);
}

const names = new NameResolver();
serve(
  // Not a socket of our own on the same descriptor: execa asks for these two, and would get EEXIST.
  process.stdin,
  process.stdout,
  doWork,
  // The daemon has gone, or wants to be rid of us.
  () => process.exit(0),
);

/** Does one piece of work. */
async function doWork(work: Work, timeoutMs: number, signal: AbortSignal): Promise<Answer> {
  switch (work.type) {
    case 'tcp':
      return lookAtTcp(work, names, timeoutMs, signal);
    case 'url':
      return lookAtUrl(work, names, timeoutMs, signal);
    case 'dns':
      return lookAtDns(work, timeoutMs, signal);
    case 'lines':
      return matchLines(work);
    case 'cron':
      return nextTime(work);
    default:
      return work satisfies never;
  }
}
