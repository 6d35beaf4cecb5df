/**
 * Units that systemd keeps active without a process (RemainAfterExit=), but that were seen to have some while they were active: when
 * those have ended, so has what the unit is there for. Known in whichever boot: it is how the unit is made. Implemented in state/.
 */
export interface UnitsWithProcesses {
  /**
   * True if it was seen of `unit`, a canonical name. `definition` says which file makes the unit what it is, and as of when: of another
   * one nothing is known. Empty, now or then, if that could not be told: then the name alone counts.
   */
  has(unit: string, definition: string): boolean;
  add(unit: string, definition: string): void;
}
