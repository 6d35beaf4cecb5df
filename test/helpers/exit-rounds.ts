import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, mkdtempSync, type ReadStream, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { LineProgram, nodeArgs } from '../bench/line-program.ts';
import { waitFor } from './wait-for.ts';

// A program of its own, so that it also runs in a container: `exit-rounds.ts '{"database":{…},"name":"p1","rounds":20}'` kills the program
// NAME, which is nobody's child here, ROUNDS times under a daemon that polls every 300 s, and in turns with it one that a bare watcher
// keeps running. Prints the milliseconds from each kill to the first thing that the replacement does, as JSON: {"ours":[…],"floor":[…]}.
// `project`: the folder of the checkout whose daemon it is, by default this one.

const {
  database,
  name,
  rounds,
  project = join(import.meta.dirname, '../..'),
} = JSON.parse(process.argv[2] ?? '') as {
  readonly database: Readonly<Record<string, string>>;
  readonly name: string;
  readonly rounds: number;
  readonly project?: string;
};

/** A program that tells of its start by a named pipe, and then waits to be killed. */
class TellingProgram {
  readonly path: string;
  readonly #births: string;
  readonly #reader: ReadStream;
  #pid = 0;

  constructor(dir: string, name: string) {
    this.path = join(dir, name);
    this.#births = join(dir, `births-${name}`);
    const never = join(dir, `never-${name}`);
    execFileSync('mkfifo', [this.#births, never]);
    writeFileSync(this.path, `#!/bin/sh\necho $$ > ${this.#births}\nread -r _ <> ${never}\n`, { mode: 0o755 });
    this.#reader = createReadStream(this.#births, { flags: 'r+' }).setEncoding('utf8');
  }

  get pid(): number {
    return this.#pid;
  }

  /** When the next one tells of its start. */
  async born(): Promise<number> {
    const [text] = (await once(this.#reader, 'data')) as [string];
    const at = performance.now();
    this.#pid = Number(text.trim());
    return at;
  }

  /** Milliseconds from its death to its replacement's start. */
  async replaced(): Promise<number> {
    const next = this.born();
    const startMs = performance.now();
    process.kill(this.#pid, 'SIGKILL');
    return (await next) - startMs;
  }

  close(): void {
    if (this.#pid > 0) process.kill(this.#pid, 'SIGKILL');
    this.#reader.destroy();
    // A read that waits in another thread would hold up our end.
    writeFileSync(this.#births, '\n');
  }
}

/** Until whatever follows a start is done. */
const SETTLE_MS = 50;

const dir = mkdtempSync(join(tmpdir(), 'exit-rounds-'));
const program = new TellingProgram(dir, name);
const barely = new TellingProgram(dir, 'barely');
const config = join(dir, 'config.ini');
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

const { DaemonProcess } = (await import(join(project, 'test/helpers/daemon.ts'))) as typeof import('./daemon.ts');
const daemon = new DaemonProcess(config, {}, nodeArgs(project));
const allCleared = (count: number): Promise<boolean> =>
  waitFor('the alarm is cleared', () => (daemon.stdout().match(/Alarm cleared for/g)?.length ?? 0) === count);
const ours: number[] = [];
const floor: number[] = [];
let watcher: LineProgram | undefined;
try {
  await daemon.line(/Poll completed/);
  const first = program.born();
  // Its parent is gone at once: it is PID 1's child, like any daemon.
  spawn('/bin/sh', ['-c', `setsid ${program.path} >/dev/null 2>&1 &`], { stdio: 'ignore' });
  await first;
  const firstBarely = barely.born();
  watcher = await LineProgram.open('bare-watcher.ts', barely.path);
  await firstBarely;
  for (let round = 1; round <= rounds; round++) {
    await daemon.line(new RegExp(`Watching ${name}: pid ${program.pid}\\b`));
    await delay(SETTLE_MS);
    ours.push(await program.replaced());
    await allCleared(round);
    await delay(SETTLE_MS);
    floor.push(await barely.replaced());
  }
} catch (error) {
  console.error(daemon.stdout().slice(-4000), error);
  process.exitCode = 1;
} finally {
  await daemon.stop();
  await watcher?.close();
  program.close();
  barely.close();
  rmSync(dir, { recursive: true, force: true });
}
console.log(JSON.stringify({ ours, floor }));
