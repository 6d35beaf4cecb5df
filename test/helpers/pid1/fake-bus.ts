import { closeSync } from 'node:fs';
import { messageTypes } from '../../../src/system/systemd/dbus/message.ts';
import type { DbusValue } from '../../../src/system/systemd/dbus/values.ts';
import { DBUS, SYSTEMD } from './dbus-names.ts';
import { DbusPeer, type FakeCall, type FakeMessage, type UnnumberedMessage } from './dbus-peer.ts';
import { Listener } from './unix-server.ts';

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
  answer(name: string, message: UnnumberedMessage): void {
    if (!this.#open.delete(`${name} ${message.replySerial}`)) return;
    this.#clients.get(name)?.peer.send({ ...message, sender: this.#owner ?? ':1.0', destination: name });
  }

  /** A signal of PID 1's. It tells nobody while nobody has subscribed. */
  broadcast(message: UnnumberedMessage): void {
    if (this.#subscribers.size > 0 && this.#owner !== undefined) this.#spread({ ...message, sender: this.#owner });
  }

  /** A message of somebody else's, straight to every client: no match rule is asked about those. */
  forge(message: UnnumberedMessage, sender = ':1.666'): void {
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

  #spread(message: UnnumberedMessage): void {
    for (const { peer, rules } of this.#clients.values())
      if (rules.some((rule) => this.#matches(rule, message))) peer.send(message);
  }

  #matches(rule: string, message: UnnumberedMessage): boolean {
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
