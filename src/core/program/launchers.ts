// The table of programs that run another program, and their options.
/** The words that a program which runs another one takes before that one: `nice -n 5 PROGRAM`. */
export interface Launcher {
  /** How many words before the program are neither options nor their values: `flock FILE`, `docker exec NAME`. */
  readonly operands?: number;
  /** All its options, if each of them is known: those that are one word, and those whose value is the next word. */
  readonly options?: { readonly flags: RegExp; readonly valued: RegExp };
  /** Variables may precede the program: `env A=b PROGRAM`. */
  readonly takesVariables?: true;
  /** It searches for the program in a PATH of its own. */
  readonly hasOwnPath?: true;
  /** It may run the program under another root or on another machine: always, or with such an option. */
  readonly elsewhere?: true | RegExp;
  /** Options by which it changes to another folder first. Only set if its options are known. */
  readonly changesFolder?: RegExp;
  /** The program may run as another user. Only set if its options are known. */
  readonly changesUser?: true;
  /** It appends more words to those of the program. */
  readonly addsWords?: true;
  /** It executes a text in a language of its own, and no other program named in its words. */
  readonly ownLanguage?: true;
  /** It only matters in the text of a command; a process with this name is not taken for the program that it runs. */
  readonly onlyInText?: true;
}

/** The programs that run another program, by name. Source: their manuals. */
export const LAUNCHERS: Readonly<Record<string, Launcher>> = {
  env: {
    takesVariables: true,
    options: {
      flags: /^(?:-|-[0iv]+|-u.+|--(?:ignore-environment|null|debug|unset=.*))$/s,
      valued: /^(?:-[iv]*u|--unset)$/,
    },
  },
  nohup: { options: { flags: /^$/, valued: /^$/ } },
  sudo: {
    takesVariables: true,
    changesUser: true,
    hasOwnPath: true,
    elsewhere: /^(?:-[ABEHPSbikns]*R|--chroot(?:=|$))/,
    changesFolder: /^(?:-[ABEHPSbikns]*[Di]|--(?:chdir|login)(?:=|$))/,
    options: {
      flags:
        /^(?:-[ABEHKPSbikns]+|-[ABEHPSbikns]*[ugCpTrt].+|--[a-z-]+=.*|--(?:askpass|background|preserve-env|set-home|login|stdin|non-interactive|preserve-groups|reset-timestamp|shell))$/s,
      valued: /^(?:-[ABEHPSbikns]*[ugCDhpRrtTU]|--(?:user|group|close-from|prompt|role|type|command-timeout|other-user|host))$/,
    },
  },
  nice: { options: { flags: /^(?:-n?[-+]?\d+|--adjustment=.*)$/, valued: /^(?:-n|--adjustment)$/ } },
  ionice: {
    options: {
      flags: /^(?:-t|-t?[cn].+|--(?:ignore|(?:class|classdata)=.*))$/,
      valued: /^(?:-t?[cn]|--class|--classdata)$/,
    },
  },
  setsid: { options: { flags: /^(?:-[cfw]+|--(?:ctty|fork|wait))$/, valued: /^$/ } },
  timeout: {
    operands: 1,
    options: {
      flags: /^(?:-[fpv]+|-[fpv]*[ks].+|--(?:foreground|preserve-status|verbose|(?:kill-after|signal)=.*))$/,
      valued: /^(?:-[fpv]*[ks]|--(?:kill-after|signal))$/,
    },
  },
  stdbuf: { options: { flags: /^(?:-[ioe].+|--(?:input|output|error)=.*)$/, valued: /^(?:-[ioe]|--(?:input|output|error))$/ } },
  su: { operands: 2 },
  runuser: { operands: 1 },
  chroot: { operands: 1, elsewhere: true },
  flock: { operands: 1 },
  taskset: { operands: 1 },
  chrt: { operands: 1 },
  gosu: { operands: 1 },
  'su-exec': { operands: 1 },
  setuidgid: { operands: 1 },
  's6-setuidgid': { operands: 1 },
  envdir: { operands: 1 },
  tmux: { operands: 1 },
  xargs: { addsWords: true },
  parallel: { addsWords: true },
  awk: { ownLanguage: true },
  gawk: { ownLanguage: true },
  mawk: { ownLanguage: true },
  nawk: { ownLanguage: true },
  gdb: { ownLanguage: true },
  ...each(
    {},
    'doas setpriv numactl systemd-inhibit start-stop-daemon daemonize chpst softlimit tini dumb-init ' +
      'catatonit watch strace ltrace gdbserver valgrind catchsegv dbus-run-session ssh-agent screen socat busybox toybox beam.smp wine',
  ),
  ...each({ elsewhere: true }, 'unshare nsenter'),
  'systemd-run': {
    elsewhere: /^(?:-[HM]|--(?:host|machine)(?:=|$)|.*Root(?:Directory|Image)=)/,
  },
  ...each({ onlyInText: true }, 'time systemd-cat unbuffer chronic script'),
  ...each(
    { onlyInText: true, elsewhere: true },
    'lxc-attach systemd-nspawn bwrap firejail schroot proot singularity apptainer',
  ),
  ...each({ onlyInText: true, elsewhere: true, operands: 2 }, 'crictl kubectl lxc machinectl flatpak toolbox distrobox'),
  ...each({ onlyInText: true, elsewhere: true, operands: 3 }, 'docker podman nerdctl'),
  ip: { onlyInText: true, operands: 3 },
  ssh: { onlyInText: true, elsewhere: true, operands: 1 },
};

/** Whether the program that it runs may be elsewhere than its path says; `options`: the words between the two. */
export function runsElsewhere({ elsewhere }: Launcher, options: readonly (string | undefined)[]): boolean {
  if (elsewhere === undefined || elsewhere === true) return elsewhere === true;
  return options.some((word) => word !== undefined && elsewhere.test(word));
}

function each(launcher: Launcher, names: string): Record<string, Launcher> {
  return Object.fromEntries(names.split(' ').map((name) => [name, launcher]));
}
