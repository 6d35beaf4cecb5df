// The port to systemd's units.

/** The status of a unit as systemd reports it (org.freedesktop.systemd1(5)). */
export interface UnitStatus {
  /** The canonical name behind an alias: `mariadb.service` for `mysql.service`. */
  readonly id: string;
  /** `loaded`, `not-found`, `masked`, `bad-setting`, `error` … */
  readonly loadState: string;
  /** `active`, `reloading`, `inactive`, `failed`, `activating` (also if Type=idle), `deactivating`. */
  readonly activeState: string;
  /** `running`, `dead`, `auto-restart`, `exited` … */
  readonly subState: string;
  /** Why it ended: `success`, `exit-code`, `start-limit-hit` … */
  readonly result: string;
  /** 0 if there is none. */
  readonly mainPid: number;
  readonly type: string;
  /** The path of the unit's cgroup below the cgroup root; empty if it has none. */
  readonly controlGroup: string;
  /** The unit has a job: a start, stop or restart that is not done yet. */
  readonly hasJob: boolean;
  /**
   * systemd was already stopping the unit when its main process last ended (`systemctl stop`, a limit, a unit that it depends
   * on).
   */
  readonly endedByStop: boolean;
  /** systemd keeps the unit active after its processes have ended successfully (RemainAfterExit=): `active (exited)`. */
  readonly remainsAfterExit: boolean;
  /** When the unit reached its current state, in milliseconds of CLOCK_MONOTONIC; 0 if it never left its first state. */
  readonly changedMs: number;
}

/** One end of a unit, as systemd signalled it when it happened. */
export interface SeenEnd {
  /** When the unit left `active`, in milliseconds of CLOCK_MONOTONIC. It is different for each end. */
  readonly leftActiveMs: number;
  /**
   * True if the unit went down by a job of systemd: somebody, or another unit, stopped or restarted it. Undefined if that was
   * not seen.
   */
  readonly hadJob: boolean | undefined;
}

/**
 * How a unit reached its current state. Times are in milliseconds of CLOCK_MONOTONIC, 0 if never: a unit at rest may have
 * forgotten them.
 */
export interface UnitEnd {
  readonly status: UnitStatus;
  /** When it last left `active`. */
  readonly leftActiveMs: number;
  /** When it last left `active` or came to rest, whichever was later. */
  readonly wentMs: number;
  /** True if it has begun to start again since it left `active`. */
  readonly triedSince: boolean;
  /** True if it has or had a main process. Also false if systemd has forgotten that. */
  readonly hadMain: boolean;
  /** The units whose stop or end stops this one too (BindsTo=, Requires=, Requisite=, PartOf=, StopPropagatedFrom=). */
  readonly stoppedWith: readonly string[];
  /** Its last end; undefined if it is not watched, or if the bus was unavailable. */
  readonly seen: SeenEnd | undefined;
}

/** How a unit is related to others, by their canonical names, and what else its start or end causes (systemd.unit(5)). */
export interface UnitRelations {
  /** `enabled`, `enabled-runtime`, `disabled`, `static`, `generated` …; empty if it has no file. */
  readonly unitFileState: string;
  readonly requires: readonly string[];
  readonly bindsTo: readonly string[];
  /** [] if systemd is older than 249. */
  readonly upholds: readonly string[];
  readonly wants: readonly string[];
  readonly requiredBy: readonly string[];
  readonly wantedBy: readonly string[];
  readonly triggeredBy: readonly string[];
  /** Units that are restarted with this one in addition to `requiredBy`, if they are up (Requisite=, BindsTo=, PartOf=). */
  readonly requisiteOf: readonly string[];
  readonly boundBy: readonly string[];
  readonly consistsOf: readonly string[];
  /**
   * Units that its restart stops and, since systemd 254, does not start again (PropagatesStopTo=); [] if systemd is older than
   * 249.
   */
  readonly stopsToo: readonly string[];
  /** Units that its start stops, whichever of the two has the setting. */
  readonly conflicts: readonly string[];
  /**
   * What systemd does to the machine when the unit ends or cannot be started: `FailureAction=reboot`,
   * `OnFailureJobMode=isolate`; [] if nothing.
   */
  readonly actions: readonly string[];
  /** Units that are started when it ends, successfully or not (OnSuccess=, OnFailure=). */
  readonly startedAtEnd: readonly string[];
}

/** What a service executes (systemd.service(5), systemd.exec(5)), and when it last ran. */
export interface UnitProgram {
  /** The file of its first ExecStart=, and the arguments from argv[0] on, with variables not expanded; empty if it has none. */
  readonly path: string;
  readonly argv: readonly string[];
  /** User=, a name or a number; empty means root. */
  readonly user: string;
  /** The pid of its current main process, or of the last one that it had. */
  readonly lastMainPid?: number;
  /** The pid of its ExecReload=, ExecStop= or similar, while one runs. */
  readonly controlPid?: number;
  /** The unit lives as long as any of its processes (ExitType=cgroup, since systemd 250). */
  readonly outlivesMain?: true;
  /** It has an ExecStop=. */
  readonly hasStop?: true;
  /** When it last left `inactive`, in milliseconds since boot; 0 if never. */
  readonly beganMs: number;
  /** When it last returned to `inactive` or failed; if it has not since `beganMs`, when its main process last ended; 0 if never. */
  readonly overMs: number;
  /**
   * The file that defines the unit, or that its unit file was generated from (SourcePath=, a SysV script); empty if there is
   * none.
   */
  readonly definedBy: string;
}

/** What the end of a unit does to its processes, or why that is not known. Source: systemd.kill(5). */
export type KillingResult =
  | {
      readonly kind: 'known';
      /** KillMode=: `control-group`, `none`; empty if it is not a service. */
      readonly killMode: string;
      /** SendSIGKILL=no: a process that does not end by itself must not be killed. */
      readonly forbidsSigkill?: true;
    }
  | { readonly kind: 'failed'; readonly reason: string };

/** How systemd is contacted, and how its changes are received. */
export interface ServiceContact {
  /**
   * `private`: PID 1's own socket. `bus`: the system's message bus. null before the first question, and if there was no answer.
   */
  readonly connection: 'private' | 'bus' | null;
  /** One line why systemd could not be reached at the last try; null if it could. */
  readonly problem: string | null;
  /**
   * How changes of watched units are noticed: by the bus, or only by regular looks while the bus is unavailable. null if no
   * unit is watched.
   */
  readonly units: 'bus' | 'looks' | null;
  /** How many watched units the bus does not report, because it takes no more rules. */
  readonly unheard: number;
}

/** The result of an order to systemd; `reason` is one line. */
export type ServiceCallResult = { readonly kind: 'done' } | { readonly kind: 'failed'; readonly reason: string };

/**
 * What can be ordered. `stop-alone`: units that a stop would take along (PartOf=, Requires=) stay up, except those bound to it
 * (BindsTo=).
 */
export type ServiceVerb = 'start' | 'restart' | 'stop' | 'stop-alone' | 'reset-failed';

/**
 * Which of a unit's processes: `all` in its control group, its main process, or the one of ExecStartPre=, ExecStop= and
 * similar.
 */
export type UnitProcesses = 'all' | 'main' | 'control';

/** Why a unit is not up, as systemd reports it. */
export interface UnitExplanation {
  /** One line; undefined if the unit is up, nothing went wrong, or systemd does not answer. */
  readonly reason: string | undefined;
  /** The last lines in the journal of its last run, at most 5, printable; [] if there are none, or if they cannot be read. */
  readonly output: readonly string[];
}

/** The units of systemd. The caller has checked the name (strategies/unit/name-policy.ts). */
export interface ServiceManager {
  /** False if PID 1 is not systemd (sd_booted(3)). Then every call fails with a line that says so. */
  readonly available: boolean;
  /**
   * Returns the status of `unit`. An unknown unit has loadState `not-found`. `failed` only if systemd does not answer. Never
   * rejects.
   */
  show(
    unit: string,
    signal: AbortSignal,
  ): Promise<{ readonly kind: 'status'; readonly status: UnitStatus } | { readonly kind: 'failed'; readonly reason: string }>;
  /**
   * Returns how `unit` is related to others; empty for a unit that systemd does not know. `failed`: systemd does not answer.
   * Never rejects.
   */
  relations(
    unit: string,
    signal: AbortSignal,
  ): Promise<
    { readonly kind: 'known'; readonly relations: UnitRelations } | { readonly kind: 'failed'; readonly reason: string }
  >;
  /** Returns how `unit` reached its current state. `failed`: systemd does not answer. Never rejects. */
  end(
    unit: string,
    signal: AbortSignal,
  ): Promise<{ readonly kind: 'known'; readonly end: UnitEnd } | { readonly kind: 'failed'; readonly reason: string }>;
  /** Returns the last end of a watched unit, as systemd has signalled it so far; undefined if it has not. */
  signalledEnd(unit: string): SeenEnd | undefined;
  /** Returns what `unit` executes; empty if it is not a service. `failed`: systemd does not answer. Never rejects. */
  program(
    unit: string,
    signal: AbortSignal,
  ): Promise<{ readonly kind: 'known'; readonly program: UnitProgram } | { readonly kind: 'failed'; readonly reason: string }>;
  /** Returns what the end of `unit` does to its processes. Never rejects. */
  killMode(unit: string, signal: AbortSignal): Promise<KillingResult>;
  /** Returns true if `unit` stays active without a process (RemainAfterExit=); false if it is not a service. Never rejects. */
  remainsAfterExit(
    unit: string,
    signal: AbortSignal,
  ): Promise<{ readonly kind: 'known'; readonly remains: boolean } | { readonly kind: 'failed'; readonly reason: string }>;
  /**
   * Gives systemd an order. Waits for the job's end, at most `timeoutMs`; then systemd continues the job by itself. Never
   * rejects.
   */
  call(verb: ServiceVerb, unit: string, timeoutMs: number, signal: AbortSignal): Promise<ServiceCallResult>;
  /** Sends SIGKILL to processes of `unit`. It is not a failure if there are none. Never rejects. */
  kill(unit: string, which: UnitProcesses, timeoutMs: number, signal: AbortSignal): Promise<ServiceCallResult>;
  /**
   * Returns when systemd will restart `unit` by itself, in milliseconds of CLOCK_MONOTONIC: Infinity if never, undefined if it
   * does not wait for a restart. Never rejects.
   */
  restartDue(
    unit: string,
    signal: AbortSignal,
  ): Promise<
    { readonly kind: 'known'; readonly dueMs: number | undefined } | { readonly kind: 'failed'; readonly reason: string }
  >;
  /**
   * Returns which condition or assertion kept `unit`, which is not up, from its last start. If the unit was not started since
   * it was loaded, returns which ones must hold. The words can follow its state. Undefined if there is none, or if systemd does
   * not answer. Never rejects.
   */
  conditions(unit: string, signal: AbortSignal): Promise<string | undefined>;
  /**
   * Explains why `unit` is not up. Called after something has failed: it takes up to some seconds because of the journal. Never
   * rejects.
   */
  explain(unit: string, signal: AbortSignal): Promise<UnitExplanation>;
  /**
   * Calls `onChange` soon after each change of the unit, and whenever one may have been missed, until the returned function is
   * called. The caller must also look by itself at intervals: while systemd's bus is unavailable nothing is reported.
   */
  watch(unit: string, onChange: () => void): () => void;
  /** Returns undefined if systemd does not run. */
  contact(): ServiceContact | undefined;
}
