import { spawn } from 'node:child_process';
import { chmodSync, closeSync, existsSync, mkdirSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { signalName } from '../../../src/core/process/wait-status.ts';
import { BEGUN } from '../../../src/system/runs/verdict.ts';
import type { DbusValue, Variant } from '../../../src/system/systemd/dbus/values.ts';
import { CLD_EXITED, CLD_KILLED } from './dbus-names.ts';

interface ProgramEvents {
  readonly pid: number;
  onEnd(program: FakeProgram, code: number, status: number): void;
  onLimit(): void;
  stopPost(): Promise<void>;
  onGone(program: FakeProgram): void;
}

/** The command of a transient unit: run for real, or played by the test. It holds the descriptors that came with the call. */
export class FakeProgram {
  readonly unit: string;
  readonly argv: readonly string[];
  /** What a TERM does to one that is played; it dies of it unless said. */
  onTerm: () => void = () => this.die(constants.signals.SIGTERM);
  pid: number;
  readonly #dir: string;
  readonly #properties: ReadonlyMap<string, Variant>;
  readonly #events: ProgramEvents;
  readonly #descriptors: readonly number[];
  readonly #children = new Set<number>();
  #held: readonly number[] = [];
  #timers: NodeJS.Timeout[] = [];
  #real = false;
  #ended = false;

  constructor(
    dir: string,
    unit: string,
    properties: ReadonlyMap<string, Variant>,
    descriptors: readonly number[],
    events: ProgramEvents,
  ) {
    this.#dir = dir;
    this.unit = unit;
    this.#properties = properties;
    this.#descriptors = descriptors;
    this.#held = descriptors;
    this.#events = events;
    this.pid = events.pid;
    this.argv = commandOf(properties.get('ExecStart'));
    const limit = properties.get('RuntimeMaxUSec')?.value;
    if (typeof limit === 'bigint') this.#timers.push(setTimeout(() => events.onLimit(), Number(limit / 1000n)).unref());
  }

  has(property: string): boolean {
    return this.#properties.has(property);
  }

  property(name: string): DbusValue | undefined {
    return this.#properties.get(name)?.value;
  }

  get remains(): boolean {
    return this.property('RemainAfterExit') === true;
  }

  /** What it is given as its standard input. */
  text(): string {
    const fd = this.#stream('Input');
    const buffer = Buffer.alloc(64 * 1024);
    return fd === undefined ? '' : buffer.toString('utf8', 0, readSync(fd, buffer, 0, buffer.length, 0));
  }

  /** Writes to its standard error, where what comes before a command is said. */
  say(text: string): void {
    const fd = this.#stream('Error');
    if (fd !== undefined) writeSync(fd, text);
  }

  /** Writes to its standard output. */
  print(text: string): void {
    const fd = this.#stream('Output');
    if (fd !== undefined) writeSync(fd, text);
  }

  /** Plays a command that says that it begins, prints, and ends with this exit code. */
  play(exitCode: number, output = ''): void {
    this.say(`${BEGUN}\n`);
    this.print(output);
    this.exit(exitCode);
  }

  exit(code: number): void {
    this.#end(CLD_EXITED, code);
  }

  die(signal: number): void {
    this.#end(CLD_KILLED, signal);
  }

  /** Runs it for real. */
  run(): void {
    this.#real = true;
    const place = (name: 'Input' | 'Output' | 'Error'): number | 'ignore' => this.#stream(name) ?? 'ignore';
    const [file = '', ...argv] = this.argv;
    const child = spawn(file, argv, {
      cwd: '/',
      detached: true,
      env: { PATH: process.env.PATH, LANG: 'C.UTF-8', INVOCATION_ID: '0123' },
      stdio: [place('Input'), place('Output'), place('Error')],
    });
    if (!this.has('ExecStopPost')) this.#release();
    child.on('error', () => this.exit(203));
    child.on('exit', (code, signal) => {
      if (signal === null) this.exit(code ?? 0);
      else this.die(constants.signals[signal]);
    });
    if (child.pid === undefined) return;
    this.pid = child.pid;
    this.#children.add(child.pid);
  }

  /** A signal of KillUnit's: to all of it. */
  signal(number: number): void {
    if (this.#real) this.#signalChildren(number);
    else if (number === constants.signals.SIGTERM) this.onTerm();
    else this.die(number);
  }

  /** TERM, and KILL after the time that it has: to all of it, or to its main process alone. */
  stop(): void {
    const limit = this.property('TimeoutStopUSec');
    const ms = typeof limit === 'bigint' ? Number(limit / 1000n) : 90_000;
    this.#timers.push(setTimeout(() => this.#stopBy(constants.signals.SIGKILL), ms).unref());
    this.#stopBy(constants.signals.SIGTERM);
  }

  #stopBy(signal: number): void {
    if (this.#real && this.property('KillMode') === 'process') process.kill(this.pid, signal);
    else this.signal(signal);
  }

  /** Runs ExecStopPost=, for real where the command was; a systemctl that it calls to end the unit ends it itself first. */
  runStopPost(result: string, code: number, status: number, then: () => void): void {
    const [file = '', ...argv] = commandOf(this.#properties.get('ExecStopPost'));
    const word = code === CLD_EXITED ? 'exited' : 'killed';
    const end = code === CLD_EXITED ? String(status) : signalName(status).replace(/^SIG/, '');
    if (!this.#real) {
      // That of an action writes down how it ended, in the file that it is given as $0.
      const path = argv.at(-1);
      if (path !== undefined && existsSync(path)) writeFileSync(path, `${result} ${word} ${end}\n`);
      void this.#events.stopPost().then(then);
      return;
    }
    const bin = join(this.#dir, 'bin');
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, 'systemctl'), '#!/bin/sh\nkill -KILL $PPID\n');
    chmodSync(join(bin, 'systemctl'), 0o755);
    const child = spawn(file, argv, {
      cwd: '/',
      detached: true,
      env: { PATH: `${bin}:${process.env.PATH}`, SERVICE_RESULT: result, EXIT_CODE: word, EXIT_STATUS: end },
      stdio: 'ignore',
    });
    child.on('error', then);
    child.on('exit', () => {
      // What that systemctl was called for.
      if (code !== CLD_EXITED || result === 'timeout') this.#signalChildren(constants.signals.SIGKILL);
      then();
    });
  }

  /** Ends all that is left of it. With KillMode=process what a command left behind lives. */
  kill(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
    this.#release();
    if (this.property('KillMode') !== 'process' || !this.#ended) this.#signalChildren(constants.signals.SIGKILL);
    this.#ended = true;
    this.#events.onGone(this);
  }

  #end(code: number, status: number): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
    // The descriptors of a process are closed before its parent hears that it is dead; PID 1 keeps its copies for ExecStopPost=.
    if (!this.has('ExecStopPost')) this.#release();
    this.#events.onEnd(this, code, status);
  }

  #release(): void {
    for (const fd of this.#held) closeSync(fd);
    this.#held = [];
  }

  #stream(name: 'Input' | 'Output' | 'Error'): number | undefined {
    const place = this.property(`Standard${name}FileDescriptor`);
    return typeof place === 'number' && this.#held.length > 0 ? this.#descriptors[place] : undefined;
  }

  #signalChildren(number: number): void {
    for (const pid of this.#children) {
      try {
        process.kill(-pid, number);
      } catch {
        // Nobody is left in it.
      }
    }
  }
}

/** The first command of an `a(sasb)`, `$$` being `$` in it. */
function commandOf(value: Variant | undefined): string[] {
  const [[, argv = []] = []] = (value?.value ?? []) as readonly (readonly [string, readonly string[]])[];
  return argv.map((argument) => argument.replaceAll('$$', () => '$'));
}
