import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DaemonProcess } from './daemon.ts';
import { waitFor } from './wait-for.ts';

// A program of its own, so that it also runs in a container: `exit-rounds.ts '{"database":{…},"name":"p1","rounds":20}'` kills the program
// NAME, which is nobody's child here, ROUNDS times under a daemon that polls every 300 s, and prints the milliseconds from each kill
// to the first thing that its replacement does, as JSON.

const { database, name, rounds } = JSON.parse(process.argv[2] ?? '') as {
  readonly database: Readonly<Record<string, string>>;
  readonly name: string;
  readonly rounds: number;
};
const dir = mkdtempSync(join(tmpdir(), 'exit-rounds-'));
const births = join(dir, 'births');
const program = join(dir, name);
const config = join(dir, 'config.ini');
execFileSync('mkfifo', [births, join(dir, 'never')]);
writeFileSync(program, `#!/bin/sh\necho $$ > ${births}\nread -r _ <> ${dir}/never\n`, { mode: 0o755 });
const sections = {
  database,
  monitor: { check_interval: 300, state_dir: join(dir, 'state'), flap_recoveries: 0, max_exits: 0 },
  logging: { file: join(dir, 'monitor.log'), syslog: 'off', level: 'debug' },
  control: { socket: join(dir, 'control.sock') },
  [`process.${name}`]: { restart_strategy: 'process', watch_exit: true },
};
writeFileSync(
  config,
  Object.entries(sections)
    .map(
      ([section, keys]) =>
        `[${section}]\n${Object.entries(keys)
          .map(([key, value]) => `${key} = ${value}\n`)
          .join('')}`,
    )
    .join('\n'),
  { mode: 0o600 },
);

const reader = createReadStream(births, { flags: 'r+' }).setEncoding('utf8');
let pid = 0;
const born = async (): Promise<number> => {
  const [text] = (await once(reader, 'data')) as [string];
  const at = performance.now();
  pid = Number(text.trim());
  return at;
};
const daemon = new DaemonProcess(config);
const times: number[] = [];
try {
  await daemon.line(/Poll completed/);
  const first = born();
  // Its parent is gone at once: it is PID 1's child, like any daemon.
  spawn('/bin/sh', ['-c', `setsid ${program} >/dev/null 2>&1 &`], { stdio: 'ignore' });
  await first;
  for (let round = 0; round < rounds; round++) {
    const watched = pid;
    await daemon.line(new RegExp(`Watching ${name}: pid ${watched}\\b`));
    if (round > 0) await waitFor('the alarm is cleared', () => daemon.stdout().match(/Alarm cleared for/g)?.length === round);
    await delay(50);
    const next = born();
    const startMs = performance.now();
    process.kill(watched, 'SIGKILL');
    times.push((await next) - startMs);
  }
  await waitFor('the last alarm is cleared', () => daemon.stdout().match(/Alarm cleared for/g)?.length === rounds);
} catch (error) {
  console.error(daemon.stdout().slice(-4000), error);
  process.exitCode = 1;
} finally {
  await daemon.stop();
  if (pid > 0) process.kill(pid, 'SIGKILL');
  reader.destroy();
  // A read that waits in another thread would hold up our end.
  writeFileSync(births, '\n');
  rmSync(dir, { recursive: true, force: true });
}
console.log(JSON.stringify(times));
