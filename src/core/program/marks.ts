// What identifies the processes of a program besides their names.
/**
 * What else than its names may identify a process as the program's: it may match more processes than belong to it, never fewer.
 */
export interface ProgramMarks {
  /** `pid_file`: it may name any process. */
  readonly pidFile?: string | undefined;
  /** `argument`: a word of its command line. */
  readonly argument?: string | undefined;
  /** The units that we create when we start it. */
  readonly units?: readonly string[] | undefined;
}
