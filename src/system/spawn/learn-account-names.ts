import { type AccountNames, type NameList, parseNames } from '../accounts/names.ts';
import { execute } from './command.ts';

/**
 * Asks getent(1), which also knows directories and systemd's dynamic users, for the numbers that `names` has no name of. A
 * number that is unknown there is asked for again after ten minutes. Never rejects; a name that is not available stays unknown.
 */
export async function learnAccountNames(
  names: AccountNames,
  ids: { readonly uids: Iterable<number>; readonly gids: Iterable<number> },
  signal: AbortSignal,
): Promise<void> {
  names.refresh();
  await Promise.all([learn('passwd', names.users, ids.uids, signal), learn('group', names.groups, ids.gids, signal)]);
}

async function learn(database: 'passwd' | 'group', list: NameList, ids: Iterable<number>, signal: AbortSignal): Promise<void> {
  const unknown = list.unknown(ids);
  for (let at = 0; at < unknown.length; at += AT_ONCE) {
    const asked = unknown.slice(at, at + AT_ONCE);
    const found = await execute('getent', [database, ...asked.map(String)], { timeoutMs: LOOKUP_MS, signal });
    if (found.kind === 'aborted') return;
    // 2: some of them are unknown. If getent fails, all of them are: asking again at once would not help.
    const isAnswer = found.kind === 'exited' && (found.exitCode === 0 || found.exitCode === 2);
    list.remember(asked, isAnswer ? parseNames(found.stdout) : new Map());
  }
}

/** So few that their lines, with all members of a group, fit into the output that is kept. */
const AT_ONCE = 50;
const LOOKUP_MS = 10_000;
