import { givenPart, interpreterOf } from '../../../core/interpreters.ts';
import { hostStat } from '../../../system/files/host-path.ts';
import { readShebang } from '../../../system/launch/script-file.ts';
import { lastPart } from '../../../system/proc/called-names.ts';
import { commandsOf, programAt } from './command-words.ts';

/**
 * Why a program that somebody else has started could not be told from others by the name `systemName`, if `start_command` says how it
 * is started: an interpreter or a launcher stands there. One line; undefined if the name tells it, or nothing can be said of the line.
 */
export function unfollowedStart(startCommand: string, systemName: string): string | undefined {
  const name = lastPart(systemName);
  for (const words of commandsOf(startCommand)) {
    const [first] = words;
    if (first === undefined || interpreterOf(first) === undefined) continue;
    // `su - app -c "…"`: what it runs stands in a text of its own.
    const text = words[words.findIndex((word) => /^-\w*c$/.test(word)) + 1];
    if (interpreterOf(first) === 'launcher' && text !== undefined && text !== first && /[\s/]/.test(text)) {
      const isCalled = text.split(/[\s;&|]+/).some((word) => lastPart(word) === name);
      return unfollowedStart(text, systemName) ?? (isCalled ? undefined : told(first, name, 'argument'));
    }
    const program = programAt(words);
    const called = words[program];
    if (called === undefined || lastPart(called) === name) return undefined;
    const script = scriptOf(words.slice(program));
    if (script !== undefined && lastPart(script) === name && isScript(script)) return undefined;
    const mark = script ?? (interpreterOf(called) === undefined ? called : undefined);
    // A user's name, or an option's value, stands in many a command line.
    const cure = mark?.includes('/') === true ? `argument = ${mark}` : 'argument';
    return told(first, name, cure);
  }
  return undefined;
}

function told(first: string, name: string, cure: string): string {
  return `starts ${first}: a copy that monitor_service did not start is not called ${name}, and is not found (set ${cure}, or pid_file)`;
}

function scriptOf(argv: readonly string[]): string | undefined {
  const kind = interpreterOf(argv[0] ?? '');
  const given = kind === undefined || kind === 'launcher' ? undefined : givenPart(kind, argv);
  return given?.kind === 'file' ? argv[given.at] : undefined;
}

function isScript(path: string): boolean {
  if (!path.startsWith('/') || readShebang(path).length === 0) return false;
  const stat = hostStat(path);
  return typeof stat !== 'string' && (stat.mode & 0o111) !== 0;
}
