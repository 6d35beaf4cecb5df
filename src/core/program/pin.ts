// Pins: an operator's decision how a program may be started.
import type { LaunchRecord } from './launch-record.ts';

/** An operator's order that a program may be started in this way. It is what is started, whatever runs or is recorded later. */
export interface Pin {
  /** As in LaunchRecords. */
  readonly systemName: string;
  /** One for each running copy; at least one. */
  readonly launches: readonly PinnedLaunch[];
  readonly pinnedAt: Date;
}

export interface PinnedLaunch {
  readonly record: LaunchRecord;
  /** The files that it executes, as far as they are known: the executable first, then the script or what interprets it. */
  readonly files: readonly PinnedFile[];
}

export interface PinnedFile {
  readonly path: string;
  /** The digest of its content when it was pinned, hexadecimal. */
  readonly sha256: string;
}

/** Stores pins across restarts of the daemon. Implemented in state/. */
export interface Pins {
  get(systemName: string): Pin | undefined;
  set(pin: Pin): void;
  /** False if there was none. */
  delete(systemName: string): boolean;
  list(): Pin[];
}
