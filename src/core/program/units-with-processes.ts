/**
 * Units that systemd keeps active without a process (RemainAfterExit=), but that have been seen with processes while active:
 * when those end, the unit no longer does its work. This holds across boots, because it depends on how the unit is defined.
 * Implemented in state/.
 */
export interface UnitsWithProcesses {
  /**
   * True if `unit`, a canonical name, has been seen with processes. `definition` says which file defines the unit, and its
   * date: nothing is known about another definition. It is empty, now or then, if it could not be determined: then only the
   * name counts.
   */
  has(unit: string, definition: string): boolean;
  add(unit: string, definition: string): void;
}
