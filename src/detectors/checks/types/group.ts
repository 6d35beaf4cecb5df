// The check of the type `group`: enough of several checks are ok.
import { counted } from '../../../core/text/counted.ts';
import { nameWords } from '../../../core/text/printable.ts';
import type { CheckType, Finding } from '../check.ts';
import { NOT_LOOKED } from '../standing.ts';

/** The keys of `type = group`. */
interface GroupOptions {
  /** `members`: names of checks, or of parts of them, each once. */
  readonly members: readonly string[];
  /** `min_ok`: how many of them have to be ok; default all. */
  readonly leastOk: number;
}

/**
 * `[check.NAME]` with `type = group`: asks what is known of its members. One that only warns is ok. What is unknown of some counts only
 * if it matters.
 */
export const groupCheck: CheckType<GroupOptions> = {
  keys: ['members', 'min_ok'],
  parse: (section) => {
    const members = [...new Set(section.list('members'))];
    const all = members.length;
    const leastOk = section.integer('min_ok', { default: all, min: 1, max: Math.max(all, 1) });
    if (members.length > MOST) section.refuse('members', `has ${members.length} names (expected at most ${MOST})`);
    else if (members.length > 0) return { members, leastOk };
    else section.refuse('members', 'is missing: type = group needs the names of its checks');
    return undefined;
  },
  members: ({ members }) => members,
  create: ({ members, leastOk }, _check, { ofCheck }) => ({
    description: `group of ${counted(members.length, 'check', 'checks')}`,
    look: async (timeoutMs, signal) => {
      const found = await Promise.all(members.map((name) => ofCheck(name, timeoutMs, signal)));
      return judge(members, found, leastOk);
    },
  }),
};

function judge(members: readonly string[], found: readonly (Finding | undefined)[], leastOk: number): Finding {
  const states = found.map((finding): Finding['kind'] => {
    if (finding?.kind !== 'failing') return finding?.kind ?? 'unknown';
    return finding.isWarning ? 'ok' : 'failing';
  });
  const count = (kind: Finding['kind']): number => states.filter((state) => state === kind).length;
  const oks = count('ok');
  if (oks >= leastOk) return { kind: 'ok' };
  const notLooked = found.filter((finding) => finding?.kind === 'unknown' && finding.reason === NOT_LOOKED).length;
  // Then the group was not looked at either.
  if (notLooked > 0 && oks + count('unknown') >= leastOk) return { kind: 'unknown', reason: NOT_LOOKED };
  const others = members.flatMap((name, i) => (states[i] === 'ok' ? [] : [`${nameWords(name)} is ${states[i]}`]));
  const rest = others.length > MOST_NAMED ? `, and ${others.length - MOST_NAMED} more` : '';
  const named = others.slice(0, MOST_NAMED).join(', ');
  const reason = `${oks} of ${members.length} are ok (expected at least ${leastOk}): ${named}${rest}`;
  return { kind: oks + count('unknown') >= leastOk ? 'unknown' : 'failing', reason };
}

const MOST = 100;
const MOST_NAMED = 5;
