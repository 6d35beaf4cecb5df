import { dirname, resolve } from 'node:path';
import { DEFAULT_STATE_DIR } from '../config/parse-config.ts';
import { DEFAULT_SOCKET } from '../control/parse-control.ts';
import { groupId } from '../system/accounts/database.ts';
import { folderProblem } from '../system/files/folder-problem.ts';
import { judgeFolder, type OwnFolderOptions } from '../system/files/own-folder.ts';
import type { Settings } from './settings.ts';

/**
 * Warns of groups and folders that sections other than those of processes name and that are missing here; skips keys with an
 * error.
 */
export function warnOfSections({ document, monitor, control, logging, events }: Settings): void {
  const warn = (section: string, key: string, problem: string | undefined): void => {
    if (problem !== undefined && !document.hasError(section, key)) document.section(section).warning(key, problem);
  };
  const folderOf = (file: string): string | undefined => {
    const folder = dirname(resolve(file));
    return folderProblem(folder, isMadeAnyway(folder, monitor.stateDir) ? 'made' : 'there');
  };
  warn('control', 'group', groupProblem(control.group));
  warn('logging', 'group', groupProblem(logging.group));
  warn('events', 'socket_group', groupProblem(events?.socket?.group));
  warn('monitor', 'state_dir', folderProblem(monitor.stateDir, 'made') ?? reachProblem(monitor.stateDir, 'it is not used'));
  const socketProblem = (path: string, consequence: string): string | undefined => {
    const folder = dirname(path);
    const reach = reachProblem(folder, consequence, { sticky: 'allow' });
    return folderProblem(folder, 'made') ?? reach ?? reachProblem(folder, `${consequence} if another user was there first`);
  };
  warn('control', 'socket', socketProblem(control.socket, 'the daemon does not start'));
  if (events?.socket !== undefined) warn('events', 'socket', socketProblem(events.socket.path, 'nobody listens there'));
  if (logging.file !== undefined) {
    const reach = reachProblem(dirname(logging.file), 'it is not written', { groups: 'allow' });
    warn('logging', 'file', folderOf(logging.file) ?? reach);
  }
  const path = document.section('database').text('path');
  if (path !== undefined && document.section('database').text('driver') === 'sqlite') warn('database', 'path', folderOf(path));
}

/**
 * True for a folder that will exist once the daemon starts: `state_dir` and the two that systemd creates for the unit
 * (StateDirectory=, RuntimeDirectory=), and their parents.
 */
function isMadeAnyway(folder: string, stateDir: string): boolean {
  const made = [stateDir, DEFAULT_STATE_DIR, dirname(DEFAULT_SOCKET)].map((path) => resolve(path));
  return made.some((path) => path === folder || path.startsWith(`${folder}/`));
}

/** The problem if other users can replace the folder; undefined if they cannot, or if that is not known. */
function reachProblem(folder: string, consequence: string, options: OwnFolderOptions = {}): string | undefined {
  const place = judgeFolder(folder, options);
  return place.kind === 'others' ? `is within the reach of others, so ${consequence}: ${place.reason}` : undefined;
}

function groupProblem(group: string | undefined): string | undefined {
  if (group === undefined || groupId(group) !== undefined) return undefined;
  return `there is no group ${group} (expected a group of /etc/group, or a number): the daemon's own group is used`;
}
