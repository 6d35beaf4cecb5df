// Identifies the other end of a TCP connection.

import type { Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Clock } from '../../core/clock.ts';
import { isLoopback, plainAddress } from '../../core/text/host-port.ts';
import { socketOwner } from '../../system/native/socket-owner.ts';
import { type Holder, holderOf } from '../../system/sockets/holder.ts';
import { networkOf } from './failed.ts';

/** The other end of a TCP connection. */
export interface TcpPeer {
  /** For people: `192.0.2.7`, `127.0.0.1 (user 1000)`. */
  readonly name: string;
  /** True for a program on this machine, which came by a loopback address or by one of the machine's own. */
  readonly isLocal: boolean;
  /** What logins are counted by: a user on this machine, a network elsewhere. */
  readonly key: string;
  /** The user, if it is on this machine; elsewhere it is not known. */
  readonly holder: Holder;
}

/** Identifies who connects. */
export class TcpPeers {
  readonly #clock: Clock;
  #own: ReadonlySet<string> = new Set();
  #lookedAtMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Returns the other end of a connection that was just accepted. */
  of({ remoteAddress = '', remotePort = 0, localAddress = '', localPort = 0 }: Socket): TcpPeer {
    const isLocal = isLoopback(remoteAddress) || this.#isOwn(remoteAddress);
    if (!isLocal) return { name: remoteAddress, isLocal, key: networkOf(remoteAddress), holder: holderOf(undefined) };
    // A user who tries passwords must not block others, and has all the addresses of 127.0.0.0/8.
    const uid = socketOwner({ address: remoteAddress, port: remotePort }, { address: localAddress, port: localPort });
    const name = uid === undefined ? remoteAddress : `${remoteAddress} (user ${uid})`;
    return { name, isLocal, key: uid === undefined ? 'local' : userKey(uid), holder: holderOf(uid) };
  }

  /** Addresses change, but many connections at once must not list them each time. */
  #isOwn(address: string): boolean {
    const now = this.#clock.monotonicMs();
    if (now - this.#lookedAtMs >= LOOK_MS) {
      this.#lookedAtMs = now;
      this.#own = new Set(
        Object.values(networkInterfaces()).flatMap((all = []) => all.map((one) => plainAddress(one.address))),
      );
    }
    return this.#own.has(plainAddress(address));
  }
}

/** Returns the key of a user of this machine. */
export function userKey(uid: number): string {
  return `user ${uid}`;
}

const LOOK_MS = 5000;
