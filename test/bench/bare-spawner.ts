import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

// The least that a Node program can do to run commands: `bare-spawner.ts COMMAND` runs `bash -c COMMAND` as often as each line of its
// standard input says, four at once, and answers when the last one has ended.

const [command = ''] = process.argv.slice(2);

console.log('ready');
for await (const line of createInterface({ input: process.stdin })) {
  let left = Number(line);
  const slot = async (): Promise<void> => {
    while (left-- > 0) await once(spawn('bash', ['-c', command], { stdio: 'ignore' }), 'exit');
  };
  await Promise.all([slot(), slot(), slot(), slot()]);
  console.log('{}');
}
