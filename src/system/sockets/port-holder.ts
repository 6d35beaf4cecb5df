import { plainAddress } from '../../core/text/host-port.ts';
import { userWords } from '../accounts/names.ts';
import { socketOwner } from '../native/socket-owner.ts';
import { type ProcessIdentity, ProcessTable } from '../proc/table.ts';
import { peerWords } from './server-peer.ts';

/** Finds out who listens on TCP ports of this machine that are not available to us. */
export class PortHolders {
  readonly #table = new ProcessTable();
  readonly #known = new Map<string, { readonly words: string | undefined; readonly isStill: () => boolean }>();

  /**
   * Describes who listens on `port`, so that `address` is not available: `"nginx" (pid 80) of user www (33)`; `a process of
   * user joe (1000)` if its process cannot be seen; undefined if it is unknown. Looks at all processes, and again only once
   * that one has ended. Never rejects.
   */
  async words(address: string, port: number): Promise<string | undefined> {
    const key = `${address} ${port}`;
    const known = this.#known.get(key);
    if (known?.isStill() === true) return known.words;
    const found = (await this.#find(address, port)) ?? byOwner(address, port);
    this.#known.set(key, found);
    return found.words;
  }

  async #find(address: string, port: number) {
    const holders: (ProcessIdentity & { readonly uid: number })[] = [];
    const isMeant = (one: string): boolean => one === plainAddress(address) || ANY.has(one) || ANY.has(address);
    await this.#table.survey(['uids', 'sockets', 'startTime'], {
      visit: ({ uids, sockets = [], ...identity }) => {
        for (const socket of sockets) {
          if (socket.protocol === 'unix' || socket.state !== 'listen' || socket.localPort !== port) continue;
          if (uids !== undefined && isMeant(plainAddress(socket.localAddress)))
            holders.push({ ...identity, uid: uids.effective });
        }
      },
      keep: ({ pid, startTime }) => ({ pid, startTime }),
    });
    const [first] = holders;
    return first && { words: peerWords(first), isStill: () => this.#table.exists(first) };
  }
}

const ANY: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

function byOwner(address: string, port: number) {
  const owner = (): number | undefined =>
    socketOwner({ address, port }, { address: address.includes(':') ? '::' : '0.0.0.0', port: 0 });
  const uid = owner();
  return { words: uid === undefined ? undefined : `a process of ${userWords(uid)}`, isStill: () => owner() === uid };
}
