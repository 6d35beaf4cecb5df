/** What else than its names may tell a process of it: more than it is, never fewer. */
export interface ProgramMarks {
  /** `pid_file`: it may be any process. */
  readonly pidFile?: string | undefined;
  /** `argument`: a word of its command line. */
  readonly argument?: string | undefined;
  /** Units that we give it when we start it. */
  readonly units?: readonly string[] | undefined;
}
