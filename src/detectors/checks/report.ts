// What the log says about the states of checks.
import type { Logger } from '../../core/logger.ts';
import { NOT_LOOKED, type Standing } from './standing.ts';

/** Logs that the state of a check, or of a part of one, is another one now. */
export function reportState(
  log: Logger,
  name: string,
  before: Standing,
  { state, verdict, reason }: Standing,
  isWarning: boolean,
): void {
  const fields = { check: name };
  switch (state) {
    case 'ok':
      if (before.reason === NOT_LOOKED && before.verdict !== 'failing') log.debug(`Check ${name} is ok`, fields);
      else log.info(`Check ${name} is ok again`, fields);
      break;
    case 'failing':
      log.warning(`Check ${name} ${isWarning ? 'warns' : 'is failing'}: ${reason}`, fields);
      break;
    case 'unknown':
      log.warning(`Check ${name} is unknown${verdict === 'failing' ? ', it was failing' : ''}: ${reason}`, fields);
      break;
    default:
      state satisfies never;
  }
}
