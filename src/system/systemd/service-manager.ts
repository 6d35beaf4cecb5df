/** A unit as systemd sees it (org.freedesktop.systemd1(5)). */
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
  /** 0 where there is none. */
  readonly mainPid: number;
  readonly type: string;
  /** Path of the unit's cgroup below the cgroup root; empty where it has none. */
  readonly controlGroup: string;
  /** systemd has something to do about it: a start, stop or restart that is not through yet. */
  readonly hasJob: boolean;
  /** When its main process ended last, systemd was stopping it already (`systemctl stop`, a limit, a unit it goes with). */
  readonly endedByStop: boolean;
  /** systemd keeps it active when its processes have ended well (RemainAfterExit=): `active (exited)`. */
  readonly remainsAfterExit: boolean;
  /** When it came to where it stands, in milliseconds of CLOCK_MONOTONIC; 0 if it never left its first state. */
  readonly changedMs: number;
}

/** One end of a unit, as systemd told of it when it happened. */
export interface SeenEnd {
  /** When the unit left `active`, in milliseconds of CLOCK_MONOTONIC: each end has another. */
  readonly leftActiveMs: number;
  /** It went down by a job of systemd: somebody, or another unit, had it stopped or restarted. undefined: that was not seen. */
  readonly hadJob: boolean | undefined;
}

/** How a unit came to stand as it does. Times in milliseconds of CLOCK_MONOTONIC, 0 if never: a unit at rest may have forgotten them. */
export interface UnitEnd {
  readonly status: UnitStatus;
  /** When it left `active` last. */
  readonly leftActiveMs: number;
  /** When it left `active`, or came to rest, whichever was last. */
  readonly wentMs: number;
  /** It has begun to start since it left `active`. */
  readonly triedSince: boolean;
  /** It has, or had, a main process; false also if it has forgotten that. */
  readonly hadMain: boolean;
  /** Units whose stop or end stops it too (BindsTo=, Requires=, Requisite=, PartOf=, StopPropagatedFrom=). */
  readonly stoppedWith: readonly string[];
  /** Its last end; undefined if it is not watched, or the bus was away. */
  readonly seen: SeenEnd | undefined;
}

/** How a unit stands to others, by their canonical names, and what else its start or its end brings about (systemd.unit(5)). */
export interface UnitRelations {
  /** `enabled`, `enabled-runtime`, `disabled`, `static`, `generated` …; empty where it has no file. */
  readonly unitFileState: string;
  readonly requires: readonly string[];
  readonly bindsTo: readonly string[];
  /** [] where systemd is older than 249. */
  readonly upholds: readonly string[];
  readonly wants: readonly string[];
  readonly requiredBy: readonly string[];
  readonly wantedBy: readonly string[];
  readonly triggeredBy: readonly string[];
  /** Beside `requiredBy`: those that are restarted where this one is, if they are up (Requisite=, BindsTo=, PartOf=). */
  readonly requisiteOf: readonly string[];
  readonly boundBy: readonly string[];
  readonly consistsOf: readonly string[];
  /** Those that its restart stops, and since systemd 254 does not start again (PropagatesStopTo=); [] where systemd is older than 249. */
  readonly stopsToo: readonly string[];
  /** Those that its start stops, whoever of the two says so. */
  readonly conflicts: readonly string[];
  /**
   * What systemd does to the machine at its end, or where it cannot be started: `FailureAction=reboot`, `OnFailureJobMode=isolate`; []
   * where nothing.
   */
  readonly actions: readonly string[];
  /** Those that are started at its end, good or bad (OnSuccess=, OnFailure=). */
  readonly startedAtEnd: readonly string[];
}

/** What a service executes (systemd.service(5), systemd.exec(5)), and when it did last. */
export interface UnitProgram {
  /** Of its first ExecStart=: the file, and the arguments from argv[0] on, variables as they stand there; empty where it has none. */
  readonly path: string;
  readonly argv: readonly string[];
  /** User=, a name or a number; empty: root. */
  readonly user: string;
  /** The pid of its main process now, or of the last that it had. */
  readonly lastMainPid?: number;
  /** The pid of its ExecReload=, ExecStop= or their like, while one runs. */
  readonly controlPid?: number;
  /** It lives for as long as any of its processes (ExitType=cgroup, since systemd 250). */
  readonly outlivesMain?: true;
  /** It has an ExecStop=. */
  readonly hasStop?: true;
  /** When it left `inactive` last, and came back to it or failed, in milliseconds since boot; 0 where it never did. */
  readonly beganMs: number;
  readonly overMs: number;
  /** The file that makes it what it is, or that its own was made from (SourcePath=, a SysV script); empty if there is none. */
  readonly definedBy: string;
}

/** What the end of a unit does to its processes, or why that is not known. Source: systemd.kill(5). */
export type KillingResult =
  | {
      readonly kind: 'known';
      /** KillMode=: `control-group`, `none`; empty if it is no service. */
      readonly killMode: string;
      /** SendSIGKILL=no: what does not end by itself is not to be killed. */
      readonly forbidsSigkill?: true;
    }
  | { readonly kind: 'failed'; readonly reason: string };

/** By which ways systemd is spoken to and heard. */
export interface ServiceContact {
  /** `private`: PID 1's own socket; `bus`: the system's message bus; null before the first question, and where there was no answer. */
  readonly connection: 'private' | 'bus' | null;
  /** Why systemd could not be spoken to at the last try, in one line; null where it could. */
  readonly problem: string | null;
  /** By what changes of watched units are noticed: the bus, or looks alone while that is away; null where no unit is watched. */
  readonly units: 'bus' | 'looks' | null;
  /** Watched units that the bus does not tell of, for it takes no more rules. */
  readonly unheard: number;
}

/** How an order to systemd ended: nothing to say, or one line why not. */
export type ServiceCallResult = { readonly kind: 'done' } | { readonly kind: 'failed'; readonly reason: string };

/** What may be ordered. `stop-alone`: what a stop takes along (PartOf=, Requires=) stays up, but for what is bound to it (BindsTo=). */
export type ServiceVerb = 'start' | 'restart' | 'stop' | 'stop-alone' | 'reset-failed';

/** Which of a unit's processes: `all` in its control group, its main process, or the one of ExecStartPre=, ExecStop= and their like. */
export type UnitProcesses = 'all' | 'main' | 'control';

/** Why a unit is not up, as systemd tells it. */
export interface UnitExplanation {
  /** One line; undefined if it is up, nothing went wrong, or systemd does not answer. */
  readonly reason: string | undefined;
  /** The last lines in the journal of its last life, at most 5, printable; [] if there are none, or they cannot be read. */
  readonly output: readonly string[];
}

/** systemd's units. The caller has judged the name (strategies/unit/name-policy.ts). */
export interface ServiceManager {
  /** False where PID 1 is no systemd (sd_booted(3)): then every call fails with a line that says so. */
  readonly available: boolean;
  /** State of `unit`; `failed` only where systemd does not answer: an unknown unit has loadState `not-found`. Never rejects. */
  show(
    unit: string,
    signal: AbortSignal,
  ): Promise<{ readonly kind: 'status'; readonly status: UnitStatus } | { readonly kind: 'failed'; readonly reason: string }>;
  /** What else `unit` says; of one that systemd does not know, nothing. `failed`: systemd does not answer. Never rejects. */
  relations(
    unit: string,
    signal: AbortSignal,
  ): Promise<
    { readonly kind: 'known'; readonly relations: UnitRelations } | { readonly kind: 'failed'; readonly reason: string }
  >;
  /** How `unit` came to stand as it does. `failed`: systemd does not answer. Never rejects. */
  end(
    unit: string,
    signal: AbortSignal,
  ): Promise<{ readonly kind: 'known'; readonly end: UnitEnd } | { readonly kind: 'failed'; readonly reason: string }>;
  /** The last end of a unit that is watched, as far as systemd has told of it until now; undefined if it has not. */
  heardEnd(unit: string): SeenEnd | undefined;
  /** What `unit` executes; nothing if it is no service. `failed`: systemd does not answer. Never rejects. */
  program(
    unit: string,
    signal: AbortSignal,
  ): Promise<{ readonly kind: 'known'; readonly program: UnitProgram } | { readonly kind: 'failed'; readonly reason: string }>;
  /** What the end of `unit` does to its processes. Never rejects. */
  killMode(unit: string, signal: AbortSignal): Promise<KillingResult>;
  /** True if `unit` stays active without a process (RemainAfterExit=); false if it is no service. Never rejects. */
  remainsAfterExit(
    unit: string,
    signal: AbortSignal,
  ): Promise<{ readonly kind: 'known'; readonly remains: boolean } | { readonly kind: 'failed'; readonly reason: string }>;
  /** Waits for the job's end, at most `timeoutMs`; then the call is given up (the job stays systemd's). Never rejects. */
  call(verb: ServiceVerb, unit: string, timeoutMs: number, signal: AbortSignal): Promise<ServiceCallResult>;
  /** SIGKILL for processes of `unit`; that there are none is no failure. Never rejects. */
  kill(unit: string, which: UnitProcesses, timeoutMs: number, signal: AbortSignal): Promise<ServiceCallResult>;
  /**
   * When systemd will restart `unit` by itself, in milliseconds of CLOCK_MONOTONIC: Infinity if never; undefined if it does not
   * wait to. Never rejects.
   */
  restartDue(
    unit: string,
    signal: AbortSignal,
  ): Promise<
    { readonly kind: 'known'; readonly dueMs: number | undefined } | { readonly kind: 'failed'; readonly reason: string }
  >;
  /**
   * Which condition or assertion kept `unit`, which is not up, from its last start, or of one that was not started since it was loaded,
   * which have to be met; in words that follow its state. Undefined if there is none, or systemd does not answer. Never rejects.
   */
  conditions(unit: string, signal: AbortSignal): Promise<string | undefined>;
  /** Asked once something has failed: it takes up to some seconds, for the journal. Never rejects. */
  explain(unit: string, signal: AbortSignal): Promise<UnitExplanation>;
  /**
   * Calls `onChange` soon after each change of the unit, and whenever one may have been missed, until the returned function is called.
   * A help only, for who looks by himself too: where systemd's bus is away nothing is told.
   */
  watch(unit: string, onChange: () => void): () => void;
  /** Undefined where systemd does not run. */
  contact(): ServiceContact | undefined;
}
