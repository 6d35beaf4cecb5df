// The command `events`.
import { type Command, Option } from 'commander';
import type { ProcessEventType } from '../../core/process/event.ts';
import type { Cli } from '../context.ts';
import { configuredEventSocket, DEFAULT_SERVE_SOCKET, type EventAddress } from '../events/address.ts';
import {
  clientsArgument,
  fileArgument,
  kindsArgument,
  passwordProblem,
  socketArgument,
  tcpArgument,
  wordArgument,
} from '../events/options.ts';
import { exitCodeHelp, exitCodes } from '../exit-codes.ts';

interface EventsOptions {
  readonly events?: ReadonlySet<ProcessEventType>;
  readonly socket?: string;
  readonly tcp?: { readonly host: string; readonly port: number };
  readonly auth?: string;
  readonly authFile?: string;
  readonly tls?: true;
  readonly tlsCa?: string;
  readonly direct?: true;
  readonly serve?: true;
  readonly clients?: number;
  readonly user?: string;
  readonly name?: string;
  readonly json?: true;
}

/** Adds `events`, which shows processes as they begin and end. It has the options of procMonitor, and more. */
export function addEvents(program: Command, cli: Cli): void {
  const notServed = ['direct', 'user', 'name', 'json', 'tls', 'tlsCa'];
  program
    .command('events')
    .description('show processes as they begin and end, until Ctrl-C')
    .option('-e, --events <kinds>', 'only these kinds: exec,exit,fork,uid,gid,sid,ptrace,comm,coredump', kindsArgument)
    .option('-s, --socket <path>', "the stream's Unix socket (else that of [events])", socketArgument)
    .addOption(new Option('-t, --tcp <address>', 'over TCP: PORT, HOST:PORT or [IPv6]:PORT').argParser(tcpArgument))
    .addOption(
      new Option('-a, --auth <password>', 'password for TCP; other users see it: better $MONITOR_SERVICE_AUTH or --auth-file'),
    )
    .addOption(new Option('--auth-file <file>', 'a file that contains the password').argParser(fileArgument).conflicts('auth'))
    .option('--tls', 'the server speaks TLS; its certificate is checked')
    .option('--tls-ca <file>', 'a file (PEM) with the authorities to trust with TLS', fileArgument)
    .addOption(
      new Option('-d, --direct', 'read the events of the kernel, without the daemon (root)').conflicts([
        'socket',
        'tcp',
        'auth',
        'authFile',
        'tls',
        'tlsCa',
      ]),
    )
    .addOption(new Option('--serve', 'serve the stream to clients, without the daemon (root)').conflicts(notServed))
    .option('-c, --clients <number>', 'with --serve: how many clients at once (default: 10)', clientsArgument)
    .option('--user <name>', 'only events of processes of this user', wordArgument)
    .option('--name <name>', 'only events of processes of this name', wordArgument)
    .option('--json', 'as JSON, an object a line, for programs')
    .addHelpText('after', HELP)
    .action((options: EventsOptions, command: Command) => {
      checkTogether(command, options);
      return events(cli, options, passwordOf(cli, command, options));
    });
}

const HELP = `
It reads the stream of a procMonitor server too, and --serve serves clients of
procMonitor. Ctrl-C ends it with a summary: events, rate, how many were lost.

Examples:
  monitor_service events
  monitor_service events --events exit --name nginx
  monitor_service events --direct --events exec --json | jq -r .cmdline
  MONITOR_SERVICE_AUTH=secret monitor_service events --tcp 127.0.0.1:8080
  monitor_service events --serve --events exec,exit --clients 20

${exitCodeHelp([0, 64, 69, 75, 77, 78], {
  0: 'done: Ctrl-C ended it',
  69: 'nobody listens there, or the connection was lost; --direct, --serve: no events here',
  75: 'the server has no place for another client; --serve: another program listens there',
  77: 'the socket may not be opened, or the password is wrong or missing',
})}`;

/** The events that procMonitor shows by default. */
const USUAL: ReadonlySet<ProcessEventType> = new Set(['exec', 'exit', 'fork']);

/** Ends as wrong usage if options do not go together. */
function checkTogether(command: Command, options: EventsOptions): void {
  const { tcp, socket, serve, clients, auth, authFile, tls, tlsCa } = options;
  if (serve === undefined && tcp !== undefined && socket !== undefined) command.error('expected either --socket or --tcp');
  if (serve === undefined && clients !== undefined) command.error('--clients is for --serve');
  if (tcp !== undefined) return;
  const given = Object.entries({ '--auth': auth, '--auth-file': authFile, '--tls': tls, '--tls-ca': tlsCa });
  for (const [option, value] of given) if (value !== undefined) command.error(`${option} is for --tcp`);
}

function passwordOf(cli: Cli, command: Command, { tcp, auth, authFile, serve }: EventsOptions): string | undefined {
  if (tcp === undefined) return undefined;
  const password = auth ?? authFile?.replace(/\r?\n$/, '') ?? (cli.io.env.MONITOR_SERVICE_AUTH || undefined);
  const problem = password === undefined ? undefined : passwordProblem(password);
  if (problem !== undefined) command.error(problem);
  if (serve && password === undefined) {
    command.error('--serve over TCP needs a password: $MONITOR_SERVICE_AUTH or --auth-file FILE');
  }
  return password;
}

async function events(cli: Cli, options: EventsOptions, password: string | undefined): Promise<void> {
  if (options.serve) return serve(cli, options, password);
  const filter = { events: options.events, user: options.user, name: options.name };
  const view = { filter, json: options.json ?? false };
  const { showKernelEvents, showStream } = await import('../events/follow.ts');
  if (options.direct) await showKernelEvents(cli, options.events ?? USUAL, view);
  else await showStream(cli, addressOf(cli, options), password, view);
}

function addressOf(cli: Cli, { socket, tcp, tls, tlsCa }: EventsOptions): EventAddress {
  if (tcp === undefined) return { kind: 'unix', path: socket ?? configuredEventSocket(cli.configChoice()) };
  return { kind: 'tcp', ...tcp, tls: tls || tlsCa !== undefined ? { ca: tlsCa } : undefined };
}

async function serve(cli: Cli, options: EventsOptions, auth: string | undefined): Promise<void> {
  const { events: types = USUAL, tcp, clients = 10 } = options;
  const signals = cli.io.listenForSignals();
  const { serveEvents } = await cli.backends();
  const socket = options.socket ?? (tcp === undefined ? DEFAULT_SERVE_SOCKET : undefined);
  const end = await serveEvents({ types, socket, tcp, auth, clients, signals, say: cli.say });
  if (end.kind === 'ended') return;
  cli.complain(end.reason);
  cli.exitCode = exitCodes.unavailable;
}
