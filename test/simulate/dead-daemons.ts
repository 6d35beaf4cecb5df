import { CutOff } from './life.ts';

/** What a daemon that was cut off still throws is nobody's business; anything else ends the simulation. */
export function ignoreDeadDaemons(): () => void {
  const ignore = (error: unknown): void => {
    if (error instanceof CutOff) return;
    throw error;
  };
  process.on('unhandledRejection', ignore);
  return () => void process.off('unhandledRejection', ignore);
}
