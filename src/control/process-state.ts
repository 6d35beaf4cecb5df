/**
 * The states of a process and their conditions, in order of precedence: the first whose condition is true applies. Help and
 * manual show this table; colours and the exit codes of `status --check` belong to the command line.
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

/** The state of a process. */
export type ProcessState = keyof typeof processStates;

/** All states, in order of precedence. */
export const processStateNames = Object.keys(processStates) as readonly ProcessState[];
