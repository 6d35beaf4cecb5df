/** Of each round what was measured of ours, and of the floor. */
export interface Turns {
  readonly ours: number[];
  readonly floor: number[];
}

/** What systemd-rounds.ts measures. Times are milliseconds. */
export interface SystemdFigures {
  readonly show: Turns;
  /** With no link to PID 1 open yet. */
  readonly firstShow: Turns;
  readonly restart: Turns;
  readonly check: Turns;
  readonly action: Turns;
  readonly launch: Turns;
  /** CPU milliseconds an alarm, of the daemon and of all that it spawned; the floor: of one spawned `systemd-run --wait`. */
  readonly commandCpu: Turns;
  readonly restartCpu: Turns;
  /** Of the daemon at rest. */
  readonly residentMb: number;
}
