import assert from 'node:assert/strict';
import type { ProcessTree } from '../../src/strategies/process/identity/identity.ts';
import { ProcessLook, type SeenProcess } from '../../src/system/proc/look.ts';
import type { ProcessTable } from '../../src/system/proc/table.ts';

/** The process as a look at the table sees it now; throws if it is not there. */
export function seenNow(table: ProcessTable, pid: number): SeenProcess {
  const seen = new ProcessLook(table).all.get(pid);
  assert(seen !== undefined, `no process ${pid}`);
  return seen;
}

/** A program that is known by its name. */
export function treeOf(root: SeenProcess, descendants: readonly SeenProcess[] = []): ProcessTree {
  return { root, descendants, orphaned: false, by: 'name' };
}
