import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import koffi from 'koffi';
import { signalName } from '../../src/core/wait-status.ts';
import { type DescriptorWatch, loadLibc } from '../../src/system/native/libc.ts';
import { AF_UNIX, SOCK_CLOEXEC, socketAddress } from '../../src/system/native/socket-address.ts';
import { BEGUN } from '../../src/system/runs/verdict.ts';
import { decode } from '../../src/system/systemd/dbus/decode.ts';
import { encodeMessage, messageTypes, type OutgoingMessage } from '../../src/system/systemd/dbus/message.ts';
import { type DbusValue, Variant } from '../../src/system/systemd/dbus/values.ts';
import { type Pid1Addresses, unitPath } from '../../src/system/systemd/link.ts';
import { Systemd } from '../../src/system/systemd/manager.ts';
import { Pid1 } from '../../src/system/systemd/pid1.ts';
import { waitFor } from './wait-for.ts';

/** What a whole fake is made with. */
export interface FakePid1Options {
  /** As that version of systemd: 239 or a later one; 252 unless said. */
  readonly version?: number;
  /** No socket of PID 1's own: only the bus is there. */
  readonly busOnly?: boolean;
  /** No message bus. */
  readonly privateOnly?: boolean;
}

/** A call that has come to the fake. */
export interface FakeCall {
  /** By which way, and on the bus from whom. */
  readonly caller: Caller;
  readonly serial: number;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature: string;
  readonly values: readonly DbusValue[];
  /** As its header says. */
  readonly unixFds: number;
  /** The descriptors that have come with it: whoever handles the call closes them. */
  readonly descriptors: readonly number[];
}

/** What the fake is about to send: an answer, or a signal to all. */
export interface FakeOutgoing {
  readonly kind: 'reply' | 'error' | 'signal' | 'pause';
  /** Of a signal; of the call that is answered. */
  readonly member: string;
  /** Whom a signal is about, where it is about a unit. */
  readonly unit: string;
  readonly message: Omit<OutgoingMessage, 'serial'>;
  readonly caller?: Caller;
}

/** Behind it the rest is sent at a later turn of the loop. */
export const pause: FakeOutgoing = { kind: 'pause', member: '', unit: '', message: { type: 0 } };

/** How a job of a unit goes. */
export interface JobPlan {
  /** `done` unless said; any other is how the job fails. */
  readonly result?: string;
  /** It is under way until `finish`. */
  readonly held?: boolean;
  /** The exit code of what fails; 1 unless said. */
  readonly status?: number;
}

/** A unit that has a file. */
export interface FakeServiceOptions {
  readonly type?: 'simple' | 'oneshot';
  readonly loadState?: 'loaded' | 'masked' | 'bad-setting';
  /** Where it stands at first; inactive unless said. */
  readonly state?: 'active' | 'inactive';
  readonly plan?: (verb: JobVerb) => JobPlan;
  /** `Restart=on-failure`: after a start that failed it stands `activating (auto-restart)`. */
  readonly restarts?: boolean;
}

export type JobVerb = 'start' | 'restart' | 'stop';

/**
 * A PID 1 of the test's own on a Unix socket, and behind a message bus: units with jobs, transient units whose commands are run or
 * played, and every fault that a test asks for: refusals, silence, cut connections, a re-exec, odd orders. What it says, and in which
 * order, was recorded from systemd 252.
 */
export class FakePid1 {
  readonly dir: string;
  readonly addresses: Pid1Addresses;
  readonly version: number;
  /** All calls that have been handled, the bus's own excepted. */
  readonly calls: FakeCall[] = [];
  /** The order in which that is sent which comes of one step; it may leave things out, and put some in twice. */
  arrange: (items: readonly FakeOutgoing[]) => readonly FakeOutgoing[] = (items) => items;
  /** What becomes of the command of a transient unit. */
  onProgram: (program: FakeProgram) => void = (program) => program.run();
  /** How long the ExecStopPost= of a command that is played takes. */
  stopPost: () => Promise<void> = () => new Promise((resolve) => setImmediate(resolve));
  /** Asked before a call is handled: true where that has been done with it. */
  intercept: (call: FakeCall) => boolean = () => false;
  /** What is done about whoever connects to the own socket. */
  greeting: Greeting = 'welcome';
  /** Called at each step, which is a call that is to be handled, or a message that is to be sent. */
  onStep: (step: number, what: { readonly kind: 'call' | FakeOutgoing['kind']; readonly member: string }) => void = () => {};
  readonly bus: FakeBus | undefined;
  readonly #peers = new Set<DbusPeer>();
  readonly #units = new Map<string, FakeUnit>();
  readonly #files = new Map<string, FakeServiceOptions>();
  readonly #programs = new Set<FakeProgram>();
  readonly #refusals = new Map<string, readonly [name: string, message: string]>();
  readonly #dirty = new Set<FakeUnit>();
  readonly #ends: (() => void)[] = [];
  #listener: Listener | undefined;
  #inbox: Work[] = [];
  #stepping = false;
  #batch: FakeOutgoing[] = [];
  #wire: FakeOutgoing[] = [];
  #pumping = false;
  #asleep = false;
  #closed = false;
  #jobs = 0;
  #steps = 0;
  #accepted = 0;
  #pids = 0;
  /** Which life since a re-exec it is. */
  #life = 0;

  private constructor(dir: string, { version = 252, busOnly = false, privateOnly = false }: FakePid1Options) {
    this.dir = dir;
    this.version = version;
    this.addresses = { private: join(dir, 'private'), bus: join(dir, 'bus') };
    if (!busOnly) this.#listen();
    if (!privateOnly) this.bus = new FakeBus(this.addresses.bus, (call) => this.#whenAwake(this.#taking(call)));
  }

  /** It is gone after the test, and the test fails where something is left then (leavesNothing). */
  static open(t: TestContext, options: FakePid1Options = {}): FakePid1 {
    const fake: FakePid1 = leavesNothing(
      t,
      () => fake.close(),
      () => FakePid1.create(options),
    );
    return fake;
  }

  /** One that the caller closes. */
  static create(options: FakePid1Options = {}): FakePid1 {
    return new FakePid1(mkdtempSync(join(tmpdir(), 'fake-pid1-')), options);
  }

  /** The real way to it; closed with it. */
  pid1(options: { readonly idleMs?: number } = {}): Pid1 {
    const pid1 = new Pid1({ addresses: this.addresses, ...options });
    this.atEnd(() => pid1.close());
    return pid1;
  }

  /** Called when the test is over, before it is looked for what is left. */
  atEnd(end: () => void): void {
    this.#ends.push(end);
  }

  /** A service manager over it, which believes that systemd has booted this machine. */
  systemd(pid1: Pid1 = this.pid1()): Systemd {
    return new BootedSystemd(pid1);
  }

  /** Connections to its own socket that are open, and those there ever were. */
  get connections(): { readonly open: number; readonly ever: number } {
    return { open: this.#peers.size, ever: this.#accepted };
  }

  /** Calls of that method, in order. */
  callsOf(member: string): FakeCall[] {
    return this.calls.filter((call) => call.member === member);
  }

  /** Makes the file of a unit; with a state it is loaded. */
  add(name: string, options: FakeServiceOptions = {}): FakeUnit {
    this.#files.set(name, options);
    const unit = this.#load(name);
    if (options.state === 'active') unit.begin(this.#nextPid());
    return unit;
  }

  /** What it knows of a unit now; undefined where it is not loaded. */
  unit(name: string): FakeUnit | undefined {
    return this.#units.get(name);
  }

  /** What runs now in a transient unit. */
  program(unit: string): FakeProgram | undefined {
    return [...this.#programs].find((program) => program.unit === unit);
  }

  /** From now on calls of this method are refused; `undefined`: no more. */
  refuse(member: string, error: readonly [name: string, message: string] | undefined): void {
    if (error === undefined) this.#refusals.delete(member);
    else this.#refusals.set(member, error);
  }

  /** Resolves once it has answered all that it was asked, and whoever asked, in this process, has had the time to read the answers. */
  async quiet(): Promise<void> {
    for (let turns = 0; turns < READING_TURNS; turns++) {
      const isAnswering =
        this.#inbox.some(({ drop }) => drop !== undefined) || this.#wire.some(({ caller }) => caller !== undefined);
      const { length } = this.calls;
      await new Promise((resolve) => setImmediate(resolve));
      if (isAnswering || length !== this.calls.length) turns = 0;
    }
  }

  /** Ends a job that is under way. */
  finish(unit: string, plan: JobPlan = {}): void {
    this.step(() => {
      const found = this.#units.get(unit);
      if (found?.job === undefined) throw new Error(`${unit} has no job`);
      this.#endJob(found, plan);
    });
  }

  /** A change of a unit that nobody has asked for. */
  change(unit: string, change: (unit: FakeUnit) => void): void {
    this.step(() => {
      const found = this.#load(unit);
      change(found);
      this.#changed(found);
      this.#collect(found);
    });
  }

  /** Does something of the test's own as a step of PID 1's, once it is awake. */
  step(run: () => void): void {
    this.#whenAwake({ run });
  }

  /** Lets go of a descriptor that came with an intercepted call. */
  drop(fd: number): void {
    closeSync(fd);
  }

  /** It stops: nothing is read, answered or told, and connecting is not answered. What comes waits. */
  hush(): void {
    this.#asleep = true;
  }

  /** It goes on, and answers what waited. */
  speak(): void {
    this.#asleep = false;
    this.#work();
    this.#pump();
  }

  /** Ends all connections to its own socket, in the middle of the next message where `inMessage`; on the bus those of all clients. */
  cut({ inMessage = false }: { readonly inMessage?: boolean } = {}): void {
    for (const peer of [...this.#peers]) peer.end(inMessage);
    this.bus?.cut(inMessage);
  }

  /** A re-exec begins: connections end, nobody listens, what it knows of units stays. */
  goAway(): void {
    this.hush();
    this.#life++;
    // What has come and has not been read is lost.
    for (const { drop } of this.#inbox) drop?.();
    this.#inbox = this.#inbox.filter(({ drop }) => drop === undefined);
    this.stopListening();
    this.bus?.ownerGone();
  }

  /** A re-exec is over. */
  comeBack(): void {
    this.#listen();
    this.bus?.ownerBack();
    this.speak();
  }

  /** Nobody is let in, and its queue is full, until the returned function is called. */
  busy(): () => void {
    return this.#listener?.busy() ?? (() => {});
  }

  /** The socket is there, and nobody listens. */
  stopListening(): void {
    this.#listener?.close();
    this.#listener = undefined;
    for (const peer of [...this.#peers]) peer.end(false);
  }

  startListening(): void {
    this.#listen();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const { drop } of this.#inbox) drop?.();
    this.#inbox = [];
    this.#wire = [];
    for (const end of this.#ends) end();
    this.#listener?.close();
    for (const peer of [...this.#peers]) peer.end(false);
    this.bus?.close();
    for (const program of [...this.#programs]) program.kill();
    rmSync(this.dir, { recursive: true, force: true });
  }

  // ---- what is said, and to whom

  #listen(): void {
    if (this.#closed || this.#listener !== undefined) return;
    this.#listener = new Listener(this.addresses.private, (fd) => this.#accept(fd));
  }

  #accept(fd: number): void {
    this.#accepted++;
    const peer: DbusPeer = new DbusPeer(fd, {
      onHello: () => this.#whenAwake({ run: () => peer.greet(this.greeting), drop: () => {} }),
      onMessage: (message) => this.#whenAwake(this.#taking({ ...message, caller: { kind: 'private', peer } })),
      onEnd: () => this.#peers.delete(peer),
    });
    this.#peers.add(peer);
  }

  #whenAwake(work: Work): void {
    if (this.#closed) {
      work.drop?.();
      return;
    }
    this.#inbox.push(work);
    this.#work();
  }

  /** One after the other, never one within another; what comes of each is sent as one batch. */
  #work(): void {
    if (this.#stepping) return;
    this.#stepping = true;
    try {
      while (!this.#asleep) {
        const work = this.#inbox.shift();
        if (work === undefined) return;
        work.run();
        const items = this.arrange(this.#batch);
        this.#batch = [];
        this.#wire.push(...items);
        this.#pump();
      }
    } finally {
      this.#stepping = false;
    }
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (!this.#asleep) {
        const item = this.#wire.shift();
        if (item === undefined) return;
        if (item.kind === 'pause') {
          setImmediate(() => this.#pump());
          return;
        }
        this.onStep(++this.#steps, item);
        this.#send(item);
      }
    } finally {
      this.#pumping = false;
    }
  }

  #send({ message, caller }: FakeOutgoing): void {
    if (caller?.kind === 'private') caller.peer.send({ ...message, sender: SYSTEMD });
    else if (caller?.kind === 'bus') this.bus?.answer(caller.name, message);
    else {
      for (const peer of this.#peers) if (peer.isGreeted) peer.send({ ...message, sender: SYSTEMD });
      this.bus?.broadcast(message);
    }
  }

  /** Within a step: puts a signal into what is sent. */
  signal(member: string, unit: string, signature: string, values: readonly DbusValue[], path = MANAGER_PATH): void {
    const owner = path === MANAGER_PATH ? MANAGER : PROPERTIES;
    const message = { type: messageTypes.signal, path, interface: owner, member, signature, values };
    this.#batch.push({ kind: 'signal', member, unit, message });
  }

  /** Within a step: answers a call. */
  reply({ caller, serial, member }: FakeCall, signature = '', values: readonly DbusValue[] = []): void {
    const message = { type: messageTypes.reply, replySerial: serial, signature, values };
    this.#batch.push({ kind: 'reply', member, unit: '', message, caller });
  }

  /** Within a step: refuses a call. */
  error({ caller, serial, member }: FakeCall, name: string, text: string): void {
    const message = { type: messageTypes.error, replySerial: serial, errorName: name, signature: 's', values: [text] };
    this.#batch.push({ kind: 'error', member, unit: '', message, caller });
  }

  /** Both halves, Service first. systemd 239 keeps them back until it has nothing else to do. */
  #changed(unit: FakeUnit): void {
    if (this.version >= 240) {
      this.#tell(unit);
      return;
    }
    if (this.#dirty.size === 0) setImmediate(() => this.step(() => this.#tellDirty()));
    this.#dirty.add(unit);
  }

  #tellDirty(): void {
    for (const unit of this.#dirty) this.#tell(unit);
    this.#dirty.clear();
  }

  #tell(unit: FakeUnit): void {
    for (const half of ['Service', 'Unit'] as const) {
      const values = [...unit.properties(half)].map(([key, value]) => [key, value] as const);
      this.signal('PropertiesChanged', unit.name, 'sa{sv}as', [`${SYSTEMD}.${half}`, values, []], unitPath(unit.name));
    }
  }

  // ---- what is asked

  #taking(call: FakeCall): Work {
    const drop = (): void => {
      for (const fd of call.descriptors) closeSync(fd);
    };
    return {
      run: () => {
        const life = this.#life;
        this.onStep(++this.#steps, { kind: 'call', member: call.member });
        // The step may have ended the connection, or made it go away: then this call has been read by nobody. Or it has fallen silent.
        if (life !== this.#life || (call.caller.kind === 'private' && call.caller.peer.isOver)) drop();
        else if (this.#asleep) this.#inbox.unshift({ run: () => this.#handle(call), drop });
        else this.#handle(call);
      },
      drop,
    };
  }

  #handle(call: FakeCall): void {
    this.calls.push(call);
    if (this.intercept(call)) return;
    const refusal = this.#refusals.get(call.member);
    if (refusal !== undefined) {
      for (const fd of call.descriptors) closeSync(fd);
      this.error(call, ...refusal);
    } else if (call.interface === MANAGER) this.#manage(call);
    else if (call.interface === PROPERTIES) this.#tellProperties(call);
    else if (call.interface === 'org.freedesktop.DBus.Peer' && call.member === 'Ping') this.reply(call);
    else this.error(call, `${DBUS}.Error.UnknownInterface`, `Unknown interface ${call.interface}.`);
  }

  #manage(call: FakeCall): void {
    const [name = ''] = call.values as readonly string[];
    switch (call.member) {
      case 'StartUnit':
        this.#order(call, name, 'start');
        return;
      case 'RestartUnit':
        this.#order(call, name, 'restart');
        return;
      case 'StopUnit':
        this.#order(call, name, 'stop');
        return;
      case 'StartTransientUnit':
        this.#startTransient(call);
        return;
      case 'ResetFailedUnit': {
        const unit = this.#units.get(name);
        if (unit === undefined) {
          this.error(call, `${SYSTEMD}.NoSuchUnit`, `Unit ${name} not loaded.`);
          return;
        }
        this.reply(call);
        if (unit.activeState !== 'failed') return;
        unit.result = 'success';
        unit.enter('inactive', 'dead');
        this.#changed(unit);
        this.#collect(unit);
        return;
      }
      case 'KillUnit': {
        const unit = this.#units.get(name);
        if (unit === undefined) {
          this.error(call, `${SYSTEMD}.NoSuchUnit`, `Unit ${name} not loaded.`);
          return;
        }
        this.program(name)?.signal(call.values[2] as number);
        this.reply(call);
        return;
      }
      case 'Subscribe':
        if (call.caller.kind === 'bus' && this.bus?.subscribe(call.caller.name) === false) {
          this.error(call, `${SYSTEMD}.AlreadySubscribed`, 'Client is already subscribed.');
          return;
        }
        this.reply(call);
        return;
      default:
        this.error(call, `${DBUS}.Error.UnknownMethod`, `Unknown method ${call.member} or interface ${MANAGER}.`);
        return;
    }
  }

  #tellProperties(call: FakeCall): void {
    const [owner = '', name = ''] = call.values as readonly string[];
    const loaded = [...this.#units.values()].find((unit) => unitPath(unit.name) === call.path);
    const file = [...this.#files.keys()].find((unit) => unitPath(unit) === call.path);
    const unit = loaded ?? new FakeUnit(file ?? 'nosuch.service', file === undefined ? undefined : this.#files.get(file));
    const half = owner.slice(SYSTEMD.length + 1);
    const found = half === 'Unit' || half === 'Service' ? unit.properties(half) : undefined;
    if (call.member === 'GetAll' && found !== undefined) {
      this.reply(call, 'a{sv}', [[...found].map(([key, value]) => [key, value] as const)]);
      return;
    }
    const value = found?.get(name);
    if (value === undefined) {
      this.error(call, `${DBUS}.Error.UnknownProperty`, `Unknown interface ${owner} or property ${name}.`);
      return;
    }
    this.reply(call, 'v', [value]);
  }

  // ---- what is done

  #order(call: FakeCall, name: string, verb: JobVerb): void {
    if (!/^[A-Za-z0-9:_.\\@-]+\.[a-z]+$/.test(name)) {
      this.error(call, `${DBUS}.Error.InvalidArgs`, `Unit name ${name} is not valid.`);
      return;
    }
    const options = this.#files.get(name);
    if (options === undefined && this.#units.get(name) === undefined) {
      this.error(call, `${SYSTEMD}.NoSuchUnit`, `Unit ${name} not ${verb === 'stop' ? 'loaded' : 'found'}.`);
      return;
    }
    if (options?.loadState === 'masked' && verb !== 'stop') {
      this.error(call, `${SYSTEMD}.UnitMasked`, `Unit ${name} is masked.`);
      return;
    }
    const unit = this.#load(name);
    if (unit.job !== undefined) {
      if (unit.job.verb === verb) {
        this.reply(call, 'o', [jobPath(unit.job.id)]);
        return;
      }
      this.#removeJob(unit, 'canceled');
    }
    unit.job = { id: ++this.#jobs, verb };
    this.#changed(unit);
    this.signal('JobNew', name, 'uos', [unit.job.id, jobPath(unit.job.id), name]);
    this.reply(call, 'o', [jobPath(unit.job.id)]);
    const program = this.program(name);
    if (verb === 'stop' && program !== undefined) {
      unit.enter('deactivating', 'stop-sigterm');
      this.#changed(unit);
      program.stop();
      return;
    }
    const plan = options?.plan?.(verb) ?? {};
    if (verb !== 'start' && unit.activeState === 'active' && plan.held === true) {
      unit.enter('deactivating', 'stop-sigterm');
      this.#changed(unit);
    } else if (verb === 'start' && unit.activeState === 'inactive' && plan.held === true) {
      unit.begin(this.#nextPid(), 'activating');
      this.#changed(unit);
    }
    if (plan.held !== true) this.#endJob(unit, plan);
  }

  /** What a job comes to. */
  #endJob(unit: FakeUnit, { result = 'done', status = 1 }: JobPlan): void {
    const verb = unit.job?.verb;
    const options = this.#files.get(unit.name) ?? {};
    if (verb === 'stop') {
      if (result === 'done') this.#goDown(unit);
      else if (unit.activeState === 'deactivating') unit.enter('active', 'running');
      this.#removeJob(unit, result);
      return;
    }
    if (verb === 'restart' && unit.activeState !== 'inactive') this.#goDown(unit);
    switch (result) {
      case 'done':
        if (verb === 'start' && unit.activeState === 'active') {
          this.#removeJob(unit, 'done');
          return;
        }
        if (unit.activeState !== 'activating') unit.begin(this.#nextPid(), 'inactive');
        // The first that is told of a life says `inactive` still.
        this.#changed(unit);
        if (options.type === 'oneshot') {
          unit.enter('activating', 'start');
          this.#changed(unit);
          unit.end(CLD_EXITED, 0);
          unit.enter('inactive', 'dead');
        } else unit.enter('active', 'running');
        this.#changed(unit);
        this.#removeJob(unit, 'done');
        return;
      case 'failed':
        if (unit.activeState !== 'activating') {
          unit.begin(this.#nextPid(), 'activating');
          this.#changed(unit);
        }
        unit.end(CLD_EXITED, status);
        unit.enter('failed', 'failed');
        this.#changed(unit);
        this.#removeJob(unit, 'failed');
        if (options.restarts !== true) return;
        unit.enter('activating', 'auto-restart');
        this.#changed(unit);
        return;
      case 'timeout':
        // Only the job is over: what it began goes on.
        if (unit.activeState !== 'activating') unit.begin(this.#nextPid(), 'activating');
        this.#changed(unit);
        this.#removeJob(unit, 'timeout');
        return;
      default:
        if (unit.activeState === 'activating') {
          unit.mainPid = 0;
          unit.enter('inactive', 'dead');
        }
        this.#removeJob(unit, result);
        return;
    }
  }

  #goDown(unit: FakeUnit): void {
    if (unit.activeState === 'active') {
      unit.enter('deactivating', 'stop-sigterm');
      this.#changed(unit);
    }
    if (unit.mainPid > 0) unit.end(CLD_KILLED, constants.signals.SIGTERM);
    unit.enter('inactive', 'dead');
    this.#changed(unit);
  }

  #removeJob(unit: FakeUnit, result: string): void {
    const { job } = unit;
    if (job === undefined) return;
    unit.job = undefined;
    this.signal('JobRemoved', unit.name, 'uoss', [job.id, jobPath(job.id), unit.name, result]);
    this.#changed(unit);
    this.#collect(unit);
  }

  /** A unit that has nothing to do is forgotten; what is pending about it is told before. */
  #collect(unit: FakeUnit): void {
    const isIdle = unit.job === undefined && this.program(unit.name) === undefined;
    const isDown = unit.activeState === 'inactive' || (unit.activeState === 'failed' && unit.collects);
    if (!isIdle || !isDown || this.#units.get(unit.name) !== unit) return;
    if (this.#dirty.delete(unit)) this.#tell(unit);
    this.#units.delete(unit.name);
    this.signal('UnitRemoved', unit.name, 'so', [unit.name, unitPath(unit.name)]);
  }

  #load(name: string): FakeUnit {
    const loaded = this.#units.get(name) ?? new FakeUnit(name, this.#files.get(name));
    this.#units.set(name, loaded);
    return loaded;
  }

  #startTransient(call: FakeCall): void {
    const [name = '', , properties = []] = call.values as unknown as [string, string, readonly (readonly [string, Variant])[]];
    const refuse = (error: string, text: string): void => {
      for (const fd of call.descriptors) closeSync(fd);
      this.error(call, error, text);
    };
    if (this.#units.has(name) || this.#files.has(name)) {
      refuse(`${SYSTEMD}.UnitExists`, `Unit ${name} was already loaded or has a fragment file.`);
      return;
    }
    const set = new Map(properties.map(([key, value]) => [key, value]));
    for (const [key, { signature, value }] of set) {
      const known = TRANSIENT[key];
      if (known === undefined || known.since > this.version) {
        refuse(`${DBUS}.Error.PropertyReadOnly`, `Cannot set property ${key}, or unknown property.`);
        return;
      }
      if (known.signature !== signature) {
        refuse(`${DBUS}.Error.InvalidArgs`, `Invalid signature of ${key}.`);
        return;
      }
      if (key === 'Type' && value === 'exec' && this.version < 240) {
        refuse(`${DBUS}.Error.InvalidArgs`, 'Invalid Type setting: exec');
        return;
      }
    }
    if (call.unixFds !== call.descriptors.length) {
      refuse(`${DBUS}.Error.InvalidArgs`, 'descriptors are missing');
      return;
    }
    const unit = this.#load(name);
    unit.transient = true;
    unit.collects = set.get('CollectMode')?.value === 'inactive-or-failed';
    unit.job = { id: ++this.#jobs, verb: 'start' };
    this.signal('UnitNew', name, 'so', [name, unitPath(name)]);
    this.signal('JobNew', name, 'uos', [unit.job.id, jobPath(unit.job.id), name]);
    this.reply(call, 'o', [jobPath(unit.job.id)]);
    const program = new FakeProgram(this.dir, name, set, call.descriptors, {
      pid: this.#nextPid(),
      onEnd: (ended, code, status) => this.step(() => this.#ended(unit, ended, code, status)),
      onLimit: () => this.step(() => this.#limitReached(unit)),
      stopPost: () => this.stopPost(),
      onGone: (gone) => this.#programs.delete(gone),
    });
    this.#programs.add(program);
    // What it ends with by itself is heard of in a step of its own.
    this.onProgram(program);
    unit.begin(program.pid, 'inactive');
    this.#changed(unit);
    unit.enter('active', 'running');
    this.#changed(unit);
    this.#removeJob(unit, 'done');
  }

  #limitReached(unit: FakeUnit): void {
    unit.result = 'timeout';
    unit.enter('deactivating', 'stop-sigterm');
    this.#changed(unit);
    this.program(unit.name)?.stop();
  }

  #ended(unit: FakeUnit, program: FakeProgram, code: number, status: number): void {
    unit.end(code, status);
    const isStopping = unit.activeState === 'deactivating';
    if (program.has('ExecStopPost')) {
      unit.enter('deactivating', 'stop-post');
      this.#changed(unit);
      program.runStopPost(unit.result, code, status, () => this.step(() => this.#over(unit, program)));
    } else if (program.remains && unit.result === 'success' && !isStopping) {
      unit.enter('active', 'exited');
      this.#changed(unit);
      this.#programs.delete(program);
    } else this.#over(unit, program);
  }

  #over(unit: FakeUnit, program: FakeProgram): void {
    program.kill();
    if (unit.result === 'success') unit.enter('inactive', 'dead');
    else unit.enter('failed', 'failed');
    this.#changed(unit);
    this.#removeJob(unit, 'done');
    this.#collect(unit);
  }

  #nextPid(): number {
    return NO_PID + ++this.#pids;
  }
}

/** How the other side takes an authentication. */
export type Greeting = 'welcome' | 'rejected' | 'no_descriptors' | 'nonsense' | 'byte_by_byte' | 'silent' | 'endless';

/** By which way a call came. */
export type Caller = { readonly kind: 'private'; readonly peer: DbusPeer } | { readonly kind: 'bus'; readonly name: string };

const DBUS = 'org.freedesktop.DBus';
const SYSTEMD = 'org.freedesktop.systemd1';
const MANAGER_PATH = '/org/freedesktop/systemd1';
const MANAGER = 'org.freedesktop.systemd1.Manager';
const PROPERTIES = 'org.freedesktop.DBus.Properties';
const CLD_EXITED = 1;
const CLD_KILLED = 2;
const READING_TURNS = 5;
/** Above all numbers that the kernel gives. */
const NO_PID = 2 ** 22;
/** What PID 1 has to do next. */
interface Work {
  run(): void;
  /** There where it comes of bytes that have been read by nobody yet: they are lost in a re-exec. */
  readonly drop?: () => void;
}

function jobPath(id: number): string {
  return `${MANAGER_PATH}/job/${id}`;
}

/** What a transient unit may be given, since which version of systemd (all that is not newer than 239 here: 239). */
const TRANSIENT: Readonly<Record<string, { readonly signature: string; readonly since: number }>> = {
  Description: { signature: 's', since: 239 },
  CollectMode: { signature: 's', since: 239 },
  KillMode: { signature: 's', since: 239 },
  Type: { signature: 's', since: 239 },
  RemainAfterExit: { signature: 'b', since: 239 },
  IgnoreSIGPIPE: { signature: 'b', since: 239 },
  RuntimeMaxUSec: { signature: 't', since: 239 },
  TimeoutStopUSec: { signature: 't', since: 239 },
  SyslogIdentifier: { signature: 's', since: 239 },
  StandardOutput: { signature: 's', since: 239 },
  StandardError: { signature: 's', since: 239 },
  StandardInputFileDescriptor: { signature: 'h', since: 239 },
  StandardOutputFileDescriptor: { signature: 'h', since: 239 },
  StandardErrorFileDescriptor: { signature: 'h', since: 239 },
  ExecStart: { signature: 'a(sasb)', since: 239 },
  ExecStopPost: { signature: 'a(sasb)', since: 239 },
  OOMPolicy: { signature: 's', since: 243 },
};

/** A unit as the fake knows it; `Service` and `Unit` are its halves. */
export class FakeUnit {
  readonly name: string;
  transient = false;
  /** Also where it failed it is forgotten. */
  collects = false;
  activeState = 'inactive';
  subState = 'dead';
  result = 'success';
  mainPid = 0;
  code = 0;
  status = 0;
  invocation = Buffer.alloc(0);
  job: { readonly id: number; readonly verb: JobVerb } | undefined;
  readonly #options: FakeServiceOptions | undefined;
  #changedAt = 0n;
  #leftActiveAt = 0n;
  #startedAt = 0n;
  #endedAt = 0n;

  constructor(name: string, options: FakeServiceOptions | undefined) {
    this.name = name;
    this.#options = options;
  }

  get loadState(): string {
    return this.transient ? 'loaded' : this.#options === undefined ? 'not-found' : (this.#options.loadState ?? 'loaded');
  }

  enter(activeState: string, subState: string): void {
    if (this.activeState === 'active' && activeState !== 'active') this.#leftActiveAt = microseconds();
    this.activeState = activeState;
    this.subState = subState;
    this.#changedAt = microseconds();
  }

  /** A new life: it has a main process before it has a state. */
  begin(pid: number, state: 'active' | 'activating' | 'inactive' = 'active'): void {
    this.invocation = randomBytes(16);
    this.result = 'success';
    this.mainPid = pid;
    this.code = 0;
    this.status = 0;
    this.#startedAt = microseconds();
    this.#endedAt = 0n;
    if (state !== 'inactive') this.enter(state, state === 'active' ? 'running' : 'start');
  }

  /** The end of its main process. */
  end(code: number, status: number): void {
    this.mainPid = 0;
    this.code = code;
    this.status = status;
    this.#endedAt = microseconds();
    if (this.result !== 'success') return;
    const isClean = code === CLD_EXITED ? status === 0 : CLEAN.includes(status);
    this.result = isClean ? 'success' : code === CLD_EXITED ? 'exit-code' : 'signal';
  }

  properties(half: 'Service' | 'Unit'): Map<string, Variant> {
    const u = (value: number): Variant => new Variant('u', value);
    const t = (value: bigint): Variant => new Variant('t', value);
    const s = (value: string): Variant => new Variant('s', value);
    if (half === 'Service') {
      if (!this.name.endsWith('.service')) return new Map();
      return new Map([
        ['Type', s(this.#options?.type ?? 'simple')],
        ['MainPID', u(this.mainPid)],
        ['Result', s(this.result)],
        ['ControlGroup', s(this.mainPid > 0 ? `/system.slice/${this.name}` : '')],
        ['ExecMainStartTimestampMonotonic', t(this.#startedAt)],
        ['ExecMainExitTimestampMonotonic', t(this.#endedAt)],
        ['ExecMainCode', new Variant('i', this.code)],
        ['ExecMainStatus', new Variant('i', this.status)],
      ]);
    }
    return new Map([
      ['Id', s(this.name)],
      ['LoadState', s(this.loadState)],
      ['ActiveState', s(this.activeState)],
      ['SubState', s(this.subState)],
      ['StateChangeTimestampMonotonic', t(this.#changedAt)],
      ['ActiveExitTimestampMonotonic', t(this.#leftActiveAt)],
      ['Job', new Variant('(uo)', this.job === undefined ? [0, '/'] : [this.job.id, jobPath(this.job.id)])],
      ['ConditionResult', new Variant('b', true)],
      ['AssertResult', new Variant('b', true)],
      ['InvocationID', new Variant('ay', this.invocation)],
    ]);
  }
}

const CLEAN: readonly number[] = [
  constants.signals.SIGHUP,
  constants.signals.SIGINT,
  constants.signals.SIGTERM,
  constants.signals.SIGPIPE,
];

let lastMicroseconds = 0n;

/** No two are the same. */
function microseconds(): bigint {
  const now = process.hrtime.bigint() / 1000n;
  lastMicroseconds = now > lastMicroseconds ? now : lastMicroseconds + 1n;
  return lastMicroseconds;
}

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
    this.#release();
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
      if (path !== undefined) writeFileSync(path, `${result} ${word} ${end}\n`);
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
    // The descriptors of a process are closed before its parent hears that it is dead.
    this.#release();
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

/** The message bus before the fake: names, match rules, and whoever else is there. */
export class FakeBus {
  /** The bus's own calls, as `Member argument`. */
  readonly calls: string[] = [];
  /** Answered by nobody from now on, the bus included. */
  silent = false;
  readonly #path: string;
  readonly #onCall: (call: FakeCall) => void;
  readonly #clients = new Map<string, BusClient>();
  readonly #peers = new Set<DbusPeer>();
  /** Calls that PID 1 has not answered: who asked, and by which number. */
  readonly #open = new Set<string>();
  #listener: Listener | undefined;
  #owner: string | undefined = ':1.0';
  #names = 0;
  #subscribers = new Set<string>();

  constructor(path: string, onCall: (call: FakeCall) => void) {
    this.#path = path;
    this.#onCall = onCall;
    this.start();
  }

  /** Who owns the name of PID 1; undefined: nobody. */
  get owner(): string | undefined {
    return this.#owner;
  }

  /** Match rules that are in force, of all clients, in order. */
  get rules(): string[] {
    return [...this.#clients.values()].flatMap(({ rules }) => rules);
  }

  get clients(): string[] {
    return [...this.#clients.keys()];
  }

  start(): void {
    this.#listener ??= new Listener(this.#path, (fd) => this.#accept(fd));
  }

  /** The bus goes away; who is connected is not any more. */
  stop(): void {
    this.#listener?.close();
    this.#listener = undefined;
    this.cut();
  }

  close(): void {
    this.stop();
  }

  cut(inMessage = false): void {
    for (const peer of [...this.#peers]) peer.end(inMessage);
  }

  /** PID 1 subscribes a client; false where it has it already. */
  subscribe(name: string): boolean {
    if (this.#subscribers.has(name)) return false;
    this.#subscribers.add(name);
    return true;
  }

  /** PID 1 is no more on the bus. Its name is told of first, then what it has not answered, as dbus-daemon does. */
  ownerGone(): void {
    const before = this.#owner;
    this.#owner = undefined;
    if (before === undefined) return;
    this.#tellOwner(before, '');
    for (const open of this.#open) {
      const [name = '', serial] = open.split(' ');
      this.#fail(name, Number(serial), 'NoReply', 'Message recipient disconnected from message bus without replying');
    }
    this.#open.clear();
  }

  ownerBack(): void {
    const before = this.#owner ?? '';
    this.#owner = `:1.${++this.#names + 1000}`;
    this.#tellOwner(before, this.#owner);
  }

  /** PID 1's answer to a client. */
  answer(name: string, message: Omit<OutgoingMessage, 'serial'>): void {
    if (!this.#open.delete(`${name} ${message.replySerial}`)) return;
    this.#clients.get(name)?.peer.send({ ...message, sender: this.#owner ?? ':1.0', destination: name });
  }

  /** A signal of PID 1's. It tells nobody while nobody has subscribed. */
  broadcast(message: Omit<OutgoingMessage, 'serial'>): void {
    if (this.#subscribers.size > 0 && this.#owner !== undefined) this.#spread({ ...message, sender: this.#owner });
  }

  /** A message of somebody else's, straight to every client: no match rule is asked about those. */
  forge(message: Omit<OutgoingMessage, 'serial'>, sender = ':1.666'): void {
    for (const [name, { peer }] of this.#clients) peer.send({ ...message, sender, destination: name });
  }

  #accept(fd: number): void {
    let name = '';
    const peer: DbusPeer = new DbusPeer(fd, {
      onHello: () => {
        if (!this.silent) peer.greet('welcome');
      },
      onMessage: (message) => {
        if (this.silent) return;
        if (message.destination === DBUS && message.member === 'Hello') {
          name = `:1.${++this.#names}`;
          this.#clients.set(name, { peer, rules: [] });
        }
        if (message.destination === DBUS) this.#serve(name, message);
        else this.#pass(name, message);
      },
      onEnd: () => {
        this.#peers.delete(peer);
        this.#clients.delete(name);
        this.#subscribers.delete(name);
      },
    });
    this.#peers.add(peer);
  }

  #serve(name: string, { serial, member, values }: FakeMessage): void {
    const client = this.#clients.get(name);
    const [argument = ''] = values as readonly string[];
    this.calls.push(argument === '' ? member : `${member} ${argument}`);
    const reply = (signature = '', answer: readonly DbusValue[] = []): void =>
      client?.peer.send({
        type: messageTypes.reply,
        replySerial: serial,
        sender: DBUS,
        destination: name,
        signature,
        values: answer,
      });
    switch (member) {
      case 'Hello':
        reply('s', [name]);
        client?.peer.send({
          type: messageTypes.signal,
          path: '/org/freedesktop/DBus',
          interface: DBUS,
          member: 'NameAcquired',
          sender: DBUS,
          destination: name,
          signature: 's',
          values: [name],
        });
        return;
      case 'AddMatch':
        client?.rules.push(argument);
        reply();
        return;
      case 'RemoveMatch': {
        const at = client?.rules.indexOf(argument) ?? -1;
        if (at < 0) {
          this.#fail(name, serial, 'MatchRuleNotFound', "The given match rule wasn't found");
          return;
        }
        client?.rules.splice(at, 1);
        reply();
        return;
      }
      case 'GetNameOwner':
        if (argument === SYSTEMD && this.#owner !== undefined) {
          reply('s', [this.#owner]);
          return;
        }
        {
          this.#fail(name, serial, 'NameHasNoOwner', `Could not get owner of name '${argument}': no such name`);
          return;
        }
      default:
        this.#fail(name, serial, 'UnknownMethod', `${member} is not understood`);
        return;
    }
  }

  #pass(name: string, message: FakeMessage): void {
    if (this.#owner === undefined || (message.destination !== this.#owner && message.destination !== SYSTEMD)) {
      for (const fd of message.descriptors) closeSync(fd);
      this.#fail(name, message.serial, 'ServiceUnknown', `The name ${message.destination} was not provided`);
      return;
    }
    this.#open.add(`${name} ${message.serial}`);
    this.#onCall({ ...message, caller: { kind: 'bus', name } });
  }

  #fail(name: string, serial: number, error: string, text: string): void {
    const message = { type: messageTypes.error, replySerial: serial, errorName: `${DBUS}.Error.${error}`, signature: 's' };
    this.#clients.get(name)?.peer.send({ ...message, sender: DBUS, destination: name, values: [text] });
  }

  #tellOwner(before: string, now: string): void {
    this.#spread({
      type: messageTypes.signal,
      path: '/org/freedesktop/DBus',
      interface: DBUS,
      member: 'NameOwnerChanged',
      sender: DBUS,
      signature: 'sss',
      values: [SYSTEMD, before, now],
    });
  }

  #spread(message: Omit<OutgoingMessage, 'serial'>): void {
    for (const { peer, rules } of this.#clients.values())
      if (rules.some((rule) => this.#matches(rule, message))) peer.send(message);
  }

  #matches(rule: string, message: Omit<OutgoingMessage, 'serial'>): boolean {
    return rule.split(',').every((part) => {
      const [, key = '', value = ''] = /^(\w+)='(.*)'$/.exec(part) ?? [];
      switch (key) {
        case 'type':
          return value === 'signal';
        case 'sender':
          return value === message.sender || (value === SYSTEMD && message.sender === this.#owner);
        case 'member':
          return value === message.member;
        case 'interface':
          return value === message.interface;
        case 'path':
          return value === message.path;
        case 'arg0':
          return value === message.values?.[0];
        default:
          throw new Error(`a match rule that the fake does not know: ${rule}`);
      }
    });
  }
}

interface BusClient {
  readonly peer: DbusPeer;
  readonly rules: string[];
}

/** A message as the fake takes it. */
export interface FakeMessage extends Omit<FakeCall, 'caller'> {
  readonly type: number;
  readonly destination: string;
}

interface PeerEvents {
  /** The whole of an authentication has come. */
  onHello(): void;
  onMessage(message: FakeMessage): void;
  onEnd(): void;
}

/** The fake's end of one connection, speaking D-Bus. */
export class DbusPeer {
  readonly #peer: RawPeer;
  readonly #events: PeerEvents;
  #bytes = Buffer.alloc(0);
  #descriptors: number[] = [];
  #hasBegun = false;
  #serial = 0;
  #cutNext = false;
  isGreeted = false;

  constructor(fd: number, events: PeerEvents) {
    this.#events = events;
    this.#peer = new RawPeer(fd, {
      onData: (bytes, descriptors) => this.#receive(bytes, descriptors),
      onEnd: () => this.#ended(),
    });
  }

  get isOver(): boolean {
    return this.#peer.isOver;
  }

  greet(greeting: Greeting): void {
    const welcome = `OK ${'0123456789abcdef'.repeat(2)}\r\nAGREE_UNIX_FD\r\n`;
    switch (greeting) {
      case 'welcome':
        this.isGreeted = true;
        this.#peer.send(Buffer.from(welcome));
        return;
      case 'byte_by_byte': {
        this.isGreeted = true;
        const next = (at: number): void => {
          this.#peer.send(Buffer.from(welcome.slice(at, at + 1)));
          if (at + 1 < welcome.length) setImmediate(() => next(at + 1));
        };
        next(0);
        return;
      }
      case 'rejected':
        this.#peer.send(Buffer.from('REJECTED EXTERNAL\u0007\r\n'));
        return;
      case 'no_descriptors':
        this.#peer.send(Buffer.from(`OK ${'0'.repeat(32)}\r\nERROR "no"\r\n`));
        return;
      case 'nonsense':
        this.#peer.send(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'));
        return;
      case 'endless':
        this.#peer.send(Buffer.alloc(5000, 'x'));
        return;
      case 'silent':
        return;
      default:
        greeting satisfies never;
    }
  }

  send(message: Omit<OutgoingMessage, 'serial'>): void {
    const bytes = encodeMessage({ ...message, serial: ++this.#serial });
    if (!this.#cutNext) {
      this.#peer.send(bytes);
      return;
    }
    this.#peer.send(bytes.subarray(0, bytes.length >> 1));
    this.end(false);
  }

  /** Reads no more, until `resume`. */
  pause(): void {
    this.#peer.pause();
  }

  resume(): void {
    this.#peer.resume();
  }

  /** Bytes as they are. */
  sendBytes(bytes: Buffer): void {
    this.#peer.send(bytes);
  }

  end(inMessage: boolean): void {
    if (inMessage) this.#cutNext = true;
    else {
      this.#peer.close();
      this.#ended();
    }
  }

  #ended(): void {
    for (const fd of this.#descriptors) closeSync(fd);
    this.#descriptors = [];
    this.#events.onEnd();
  }

  #receive(bytes: Buffer, descriptors: readonly number[]): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    this.#descriptors.push(...descriptors);
    if (!this.#hasBegun) {
      const end = this.#bytes.indexOf('BEGIN\r\n');
      if (end < 0) return;
      this.#hasBegun = true;
      this.#bytes = this.#bytes.subarray(end + 'BEGIN\r\n'.length);
      this.#events.onHello();
    }
    while (this.#bytes.length >= 16 && !this.isOver) {
      const fields = this.#bytes.readUInt32LE(12);
      const bodyAt = Math.ceil((16 + fields) / 8) * 8;
      const length = bodyAt + this.#bytes.readUInt32LE(4);
      if (this.#bytes.length < length) return;
      const whole = Buffer.from(this.#bytes.subarray(0, length));
      this.#bytes = this.#bytes.subarray(length);
      this.#events.onMessage(this.#parse(whole, bodyAt));
    }
  }

  #parse(bytes: Buffer, bodyAt: number): FakeMessage {
    const [, type, , , , serial, list] = decode('yyyyuua(yv)', bytes);
    const fields = new Map((list as readonly (readonly [number, Variant])[]).map(([code, { value }]) => [code, value]));
    const text = (code: number): string => String(fields.get(code) ?? '');
    const unixFds = Number(fields.get(9) ?? 0);
    return {
      type: type as number,
      serial: serial as number,
      path: text(1),
      interface: text(2),
      member: text(3),
      destination: text(6),
      signature: text(8),
      values: decode(text(8), Buffer.from(bytes.subarray(bodyAt))),
      unixFds,
      descriptors: this.#descriptors.splice(0, unixFds),
    };
  }
}

/** What a raw connection tells. */
export interface RawPeerEvents {
  /** Bytes, and the descriptors that came with them: the listener's to close. */
  onData(bytes: Buffer, descriptors: readonly number[]): void;
  /** The other side is gone; not after `close`. */
  onEnd(): void;
}

/** The other end of a Unix stream connection, which takes descriptors too. */
export class RawPeer {
  readonly fd: number;
  readonly #events: RawPeerEvents;
  readonly #watch: DescriptorWatch;
  #waiting: Buffer[] = [];
  #over = false;

  constructor(fd: number, events: RawPeerEvents) {
    this.fd = fd;
    this.#events = events;
    this.#watch = libc().watch(fd, () => this.#ready());
  }

  get isOver(): boolean {
    return this.#over;
  }

  send(bytes: Buffer): void {
    if (this.#over) return;
    this.#waiting.push(Buffer.from(bytes));
    this.#flush();
  }

  /** Reads no more, until `resume`. */
  pause(): void {
    this.#watch.pause();
  }

  resume(): void {
    this.#watch.resume();
  }

  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#watch.stop();
    libc().close(this.fd);
  }

  #ready(): void {
    this.#flush();
    while (!this.#over) {
      const got = receive(this.fd);
      if (got === 'later') return;
      if (got === 'over') {
        this.close();
        this.#events.onEnd();
        return;
      }
      this.#events.onData(got.bytes, got.descriptors);
    }
  }

  #flush(): void {
    for (let next = this.#waiting[0]; next !== undefined && !this.#over; next = this.#waiting[0]) {
      const sent = libc().send(this.fd, next, next.length, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent < 0) {
        this.#watch.awaitRoom(libc().errno() === libc().codes.EAGAIN);
        return;
      }
      if (sent < next.length) this.#waiting[0] = next.subarray(sent);
      else this.#waiting.shift();
    }
    if (!this.#over) this.#watch.awaitRoom(false);
  }
}

/** A listening Unix socket. Closed, its file stays, and connecting to that is refused. */
export class Listener {
  readonly #path: string;
  readonly #fd: number;
  readonly #watch: DescriptorWatch;
  #closed = false;

  constructor(path: string, onConnection: (fd: number) => void, backlog = 128) {
    this.#path = path;
    if (path.startsWith('/')) rmSync(path, { force: true });
    const address = socketAddress(path) ?? Buffer.alloc(0);
    this.#fd = libc().socket(AF_UNIX, 1 | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (libc().bind(this.#fd, address, address.length) !== 0 || server().listen(this.#fd, backlog) !== 0) {
      const errno = libc().errno();
      libc().close(this.#fd);
      throw new Error(`${path}: errno ${errno}`);
    }
    this.#watch = libc().watch(this.#fd, () => {
      for (let fd = this.#accept(); fd >= 0; fd = this.#accept()) onConnection(fd);
    });
  }

  /** Fills the queue, and lets nobody in until the returned function is called. */
  busy(): () => void {
    this.#watch.pause();
    server().listen(this.#fd, 0);
    const address = socketAddress(this.#path) ?? Buffer.alloc(0);
    const waiting: number[] = [];
    for (;;) {
      const fd = libc().socket(AF_UNIX, 1 | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      const isIn = libc().connect(fd, address, address.length) === 0;
      if (!isIn) libc().close(fd);
      if (!isIn) break;
      waiting.push(fd);
    }
    return () => {
      for (const fd of waiting) libc().close(fd);
      if (this.#closed) return;
      server().listen(this.#fd, 128);
      this.#watch.resume();
    };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#watch.stop();
    libc().close(this.#fd);
  }

  #accept(): number {
    return this.#closed ? -1 : server().accept4(this.#fd, null, null, SOCK_NONBLOCK | SOCK_CLOEXEC);
  }
}

/** `Systemd` asks the machine whether systemd has booted it. */
class BootedSystemd extends Systemd {
  override get available(): boolean {
    return true;
  }
}

/**
 * Makes something for a test; after the test `close` is called, and the test fails where soon after it a socket, a pipe, a script or a
 * timer is left that was not there before.
 */
export function leavesNothing<T>(t: TestContext, close: () => void, make: () => T): T {
  // Where the loop has nothing to wait for the runner of the tests would set a timer of its own.
  const keepAlive = setInterval(() => {}, 2 ** 30);
  const before = openThings();
  t.after(async () => {
    close();
    const isMore = (): boolean => Object.entries(openThings()).some(([what, count]) => count > (before[what] ?? 0));
    try {
      await waitFor('nothing of the test to be left', () => !isMore(), 10_000);
    } catch (error) {
      throw new Error(`before: ${JSON.stringify(before)}, now: ${JSON.stringify(openThings())}`, { cause: error });
    } finally {
      clearInterval(keepAlive);
    }
  });
  return make();
}

/** Sockets, pipes and scripts that this process has open, and timers that it waits for. */
function openThings(): Record<string, number> {
  const counts: Record<string, number> = {};
  const add = (what: string): void => {
    counts[what] = (counts[what] ?? 0) + 1;
  };
  for (const fd of readdirSync('/proc/self/fd')) {
    let target = '';
    try {
      target = readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      // That of the listing itself.
    }
    const [, kind] = /^(socket|pipe):/.exec(target) ?? [];
    if (kind !== undefined) add(kind);
    else if (target.startsWith('/memfd:script')) add('script');
  }
  for (const resource of process.getActiveResourcesInfo()) if (resource === 'Timeout') add('timer');
  return counts;
}

const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x40000000;
const SOCK_NONBLOCK = 0o4000;

function libc(): NonNullable<ReturnType<typeof loadLibc>> {
  const loaded = loadLibc();
  if (loaded === undefined) throw new Error('koffi cannot be loaded');
  return loaded;
}

interface ServerCalls {
  listen(fd: number, backlog: number): number;
  accept4(fd: number, address: null, length: null, flags: number): number;
  recvmsg(fd: number, header: Buffer, flags: number): number;
}

let serverCalls: ServerCalls | undefined;

/** What only the other end of a connection needs of the C library. */
function server(): ServerCalls {
  if (serverCalls === undefined) {
    const library = koffi.load(null);
    serverCalls = {
      listen: library.func('int listen(int fd, int backlog)'),
      accept4: library.func('int accept4(int fd, void *addr, void *len, int flags)'),
      recvmsg: library.func('long recvmsg(int fd, void *header, int flags)'),
    };
  }
  return serverCalls;
}

/** recvmsg(2) once. */
function receive(fd: number): 'later' | 'over' | { readonly bytes: Buffer; readonly descriptors: readonly number[] } {
  const data = Buffer.allocUnsafeSlow(64 * 1024);
  const control = Buffer.allocUnsafeSlow(1024).fill(0);
  const vector = Buffer.allocUnsafeSlow(16);
  vector.writeBigUInt64LE(libc().addressOf(data), 0);
  vector.writeBigUInt64LE(BigInt(data.length), 8);
  const header = Buffer.allocUnsafeSlow(56).fill(0);
  header.writeBigUInt64LE(libc().addressOf(vector), 16);
  header.writeBigUInt64LE(1n, 24);
  header.writeBigUInt64LE(libc().addressOf(control), 32);
  header.writeBigUInt64LE(BigInt(control.length), 40);
  const got = server().recvmsg(fd, header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (got < 0) return libc().errno() === libc().codes.EAGAIN ? 'later' : 'over';
  const descriptors: number[] = [];
  const controlEnd = Number(header.readBigUInt64LE(40));
  for (let at = 0; at + 16 <= controlEnd; ) {
    const length = Number(control.readBigUInt64LE(at));
    for (let place = at + 16; place + 4 <= at + length; place += 4) descriptors.push(control.readInt32LE(place));
    at += Math.ceil(length / 8) * 8;
  }
  return got === 0 ? 'over' : { bytes: data.subarray(0, got), descriptors };
}
