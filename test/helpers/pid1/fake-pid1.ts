import { closeSync, mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { messageTypes } from '../../../src/system/systemd/dbus/message.ts';
import type { DbusValue, Variant } from '../../../src/system/systemd/dbus/values.ts';
import type { Pid1Addresses } from '../../../src/system/systemd/link.ts';
import { Systemd } from '../../../src/system/systemd/manager.ts';
import { Pid1 } from '../../../src/system/systemd/pid1.ts';
import { unitPath } from '../../../src/system/systemd/unit/name.ts';
import { CLD_EXITED, CLD_KILLED, DBUS, MANAGER, MANAGER_PATH, PROPERTIES, SYSTEMD } from './dbus-names.ts';
import { type Caller, DbusPeer, type FakeCall, type Greeting, type UnnumberedMessage } from './dbus-peer.ts';
import { FakeBus } from './fake-bus.ts';
import { FakeProgram } from './fake-program.ts';
import { type FakeServiceOptions, FakeUnit, type JobPlan, type JobVerb, jobPath } from './fake-unit.ts';
import { leavesNothing } from './leaves-nothing.ts';
import { Listener } from './unix-server.ts';

/** What a whole fake is made with. */
export interface FakePid1Options {
  /** As that version of systemd: 239 or a later one; 252 unless said. */
  readonly version?: number;
  /** No socket of PID 1's own: only the bus is there. */
  readonly busOnly?: boolean;
  /** No message bus. */
  readonly privateOnly?: boolean;
}

/** What the fake is about to send: an answer, or a signal to all. */
export interface FakeOutgoing {
  readonly kind: 'reply' | 'error' | 'signal' | 'pause';
  /** Of a signal; of the call that is answered. */
  readonly member: string;
  /** Whom a signal is about, where it is about a unit. */
  readonly unit: string;
  readonly message: UnnumberedMessage;
  readonly caller?: Caller;
}

/** Behind it the rest is sent at a later turn of the loop. */
export const pause: FakeOutgoing = { kind: 'pause', member: '', unit: '', message: { type: 0 } };

/** Ways to `arrange` what is told: a job's end first, replies last, replies first, signals twice, all of it one by one. */
export const TOLD_ORDERS: readonly FakePid1['arrange'][] = [
  (items) => items.toSorted((a, b) => Number(b.member === 'JobRemoved') - Number(a.member === 'JobRemoved')),
  (items) => items.toSorted((a, b) => Number(a.kind === 'reply') - Number(b.kind === 'reply')),
  (items) => items.toSorted((a, b) => Number(b.kind === 'reply') - Number(a.kind === 'reply')),
  (items) => items.flatMap((item) => (item.kind === 'signal' ? [item, item] : [item])),
  (items) => items.flatMap((item) => [item, pause]),
];

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
  pid1(options: { readonly idleMs?: number; readonly silentMs?: number } = {}): Pid1 {
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

  /** `hush`, and `beStale`. */
  async fallSilent(): Promise<void> {
    this.hush();
    await this.beStale();
  }

  /** Waits until what it has said is no sign of life any more. */
  async beStale(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 120));
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
  #endJob(unit: FakeUnit, { result = 'done', status = 1, skippedBy }: JobPlan): void {
    const verb = unit.job?.verb;
    const options = this.#files.get(unit.name) ?? {};
    if (verb === 'stop') {
      if (result === 'done') this.#goDown(unit);
      else if (unit.activeState === 'deactivating') unit.enter('active', 'running');
      this.#removeJob(unit, result);
      return;
    }
    if (verb === 'restart' && unit.activeState !== 'inactive') this.#goDown(unit);
    if (skippedBy !== undefined) {
      unit.skip(skippedBy);
      this.#removeJob(unit, 'done');
      return;
    }
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
    if (!isIdle || !isDown || unit.stays || this.#units.get(unit.name) !== unit) return;
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

const READING_TURNS = 5;
/** Above all numbers that the kernel gives. */
const NO_PID = 2 ** 22;
/** What PID 1 has to do next. */
interface Work {
  run(): void;
  /** There where it comes of bytes that have been read by nobody yet: they are lost in a re-exec. */
  readonly drop?: () => void;
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
  UMask: { signature: 'u', since: 239 },
  Nice: { signature: 'i', since: 239 },
  MemoryMax: { signature: 't', since: 239 },
  TasksMax: { signature: 't', since: 239 },
  LimitNOFILE: { signature: 't', since: 239 },
  LimitNOFILESoft: { signature: 't', since: 239 },
  BindsTo: { signature: 'as', since: 239 },
  After: { signature: 'as', since: 239 },
  TemporaryFileSystem: { signature: 'a(ss)', since: 239 },
  BindReadOnlyPaths: { signature: 'a(ssbt)', since: 239 },
  InaccessiblePaths: { signature: 'as', since: 239 },
  DynamicUser: { signature: 'b', since: 239 },
  CapabilityBoundingSet: { signature: 't', since: 239 },
  AmbientCapabilities: { signature: 't', since: 239 },
  NoNewPrivileges: { signature: 'b', since: 239 },
  ProtectSystem: { signature: 's', since: 239 },
  ProtectHome: { signature: 's', since: 239 },
  PrivateTmp: { signature: 'b', since: 239 },
  PrivateUsers: { signature: 'b', since: 239 },
  PrivateDevices: { signature: 'b', since: 239 },
  PrivateMounts: { signature: 'b', since: 239 },
  DevicePolicy: { signature: 's', since: 239 },
  ProtectKernelTunables: { signature: 'b', since: 239 },
  ProtectKernelModules: { signature: 'b', since: 239 },
  ProtectControlGroups: { signature: 'b', since: 239 },
  RestrictNamespaces: { signature: 't', since: 239 },
  RestrictRealtime: { signature: 'b', since: 239 },
  LockPersonality: { signature: 'b', since: 239 },
  MemoryDenyWriteExecute: { signature: 'b', since: 239 },
  RestrictAddressFamilies: { signature: '(bas)', since: 239 },
  SystemCallArchitectures: { signature: 'as', since: 239 },
  SystemCallFilter: { signature: '(bas)', since: 239 },
  SystemCallErrorNumber: { signature: 'i', since: 239 },
  KeyringMode: { signature: 's', since: 239 },
  LimitCORE: { signature: 't', since: 239 },
  OOMScoreAdjust: { signature: 'i', since: 239 },
  RestrictSUIDSGID: { signature: 'b', since: 242 },
  ProtectHostname: { signature: 'b', since: 242 },
  OOMPolicy: { signature: 's', since: 243 },
  ProtectKernelLogs: { signature: 'b', since: 244 },
  ProtectClock: { signature: 'b', since: 245 },
  ProtectProc: { signature: 's', since: 247 },
  ProcSubset: { signature: 's', since: 247 },
  PrivateIPC: { signature: 'b', since: 248 },
};

/** `Systemd` asks the machine whether systemd has booted it. */
class BootedSystemd extends Systemd {
  override get available(): boolean {
    return true;
  }
}
