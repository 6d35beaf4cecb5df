import type { LaunchRecord } from './launch-record.ts';

/** An operator's word that a program may be started so: what is started in its place whatever runs, or is recorded, later. */
export interface Pin {
  /** As LaunchRecords has it. */
  readonly systemName: string;
  /** One a running copy; at least one. */
  readonly launches: readonly PinnedLaunch[];
  readonly pinnedAt: Date;
}

export interface PinnedLaunch {
  readonly record: LaunchRecord;
  /** What it executes, as far as that can be told: the executable first, then the script or what interprets it. */
  readonly files: readonly PinnedFile[];
}

export interface PinnedFile {
  readonly path: string;
  /** Of its content when it was pinned, hexadecimal. */
  readonly sha256: string;
}

/** Keeps pins across restarts of the daemon. Implemented in state/. */
export interface Pins {
  get(systemName: string): Pin | undefined;
  set(pin: Pin): void;
  /** False where there was none. */
  delete(systemName: string): boolean;
  list(): Pin[];
}
