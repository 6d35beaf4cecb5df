import { Writable } from 'node:stream';
import type { CliIo } from '../../src/cli/context.ts';

/** A terminal that is none: only the shape of the command line is looked at. */
export const nowhere: CliIo = {
  stdout: new Writable(),
  stderr: new Writable(),
  env: {},
  isRoot: false,
  version: '0',
  listenForSignals: () => {
    throw new Error('not needed');
  },
};
