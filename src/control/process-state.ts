/**
 * What a process is at, in one word, and when it is that: the first whose condition holds. This table is what help and manual show;
 * the colours, and what `status --check` makes of them, are the command line's.
 */
export const processStates = {
  recovering: 'a recovery of it is under way',
  refused: 'it is not restarted: its section, its name or its unit forbids that',
  open: 'its circuit breaker is open: no restarts for a while',
  held: 'an operator holds it (hold): no restarts until that ends',
  waiting: 'its recovery waits for another process, or for another supervisor',
  observed: 'it is in alarm, and mode = observe restarts nothing',
  alarm: 'it is in alarm',
  failed:
    'its last recovery failed, and it is not known to be in alarm; this ends if one succeeds, a new life is seen (watch_exit), its breaker is reset, an order ends its alarm, or section and row are gone',
  down: 'it is watched (watch_exit), does not run, and nobody stopped it on purpose',
  unknown:
    'whether it is in alarm (the alarm store does not answer), or whether it runs, is not known, or its unit is just starting or stopping',
  ok: 'it is watched and runs, and is not in alarm',
  quiet: 'it is not in alarm; whether it runs is not watched (nothing is while no daemon runs), or it was stopped on purpose',
} as const;

export type ProcessState = keyof typeof processStates;

/** All of them, in order of precedence. */
export const processStateNames = Object.keys(processStates) as readonly ProcessState[];
