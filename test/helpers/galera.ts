import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GaleraNode } from './galera-node.ts';
import { killLeftovers, leftovers } from './leftovers.ts';
import { waitFor } from './wait-for.ts';

export type { GaleraNode } from './galera-node.ts';
export { galeraProblem } from './galera-programs.ts';

/** A Galera cluster of three nodes on this machine. */
export interface Galera {
  readonly nodes: readonly [GaleraNode, GaleraNode, GaleraNode];
  /** Waits until all three are members again. */
  whole(): Promise<void>;
  /** Ends every process of it and removes its folder. */
  stop(): Promise<void>;
}

/** Starts one, of which each further node gets its state from those before. Call `stop` after; its servers die with this process. */
export async function startGalera(): Promise<Galera> {
  const dir = mkdtempSync(join(tmpdir(), 'monitor-galera-'));
  chmodSync(dir, 0o755);
  // Addresses of our own: another cluster may run beside.
  const network = `127.${100 + (process.pid % 100)}.${1 + Math.floor(Math.random() * 250)}`;
  const node = (number: number): GaleraNode => new GaleraNode(`n${number}`, `${network}.${number}`, dir);
  const nodes: Galera['nodes'] = [node(1), node(2), node(3)];
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map((each) => each.kill()));
    // What a node ran to send or get a state ends by itself, in a second or so.
    await waitFor('nothing of the cluster runs', () => leftovers(dir).length === 0).catch(() => killLeftovers(dir));
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    const end = performance.now() + READY_MS;
    for (const [i, each] of nodes.entries()) await each.prepare(i === 0);
    for (const [i, each] of nodes.entries()) {
      await each.start(nodes.slice(0, i).map(({ member }) => member));
      await each.synced(i + 1, end - performance.now());
    }
  } catch (error) {
    await stop();
    throw error;
  }
  const whole = async (): Promise<void> => void (await Promise.all(nodes.map((each) => each.synced(nodes.length, READY_MS))));
  return { nodes, whole, stop };
}

/** 12 s on a machine that does nothing else. */
const READY_MS = 90_000;
