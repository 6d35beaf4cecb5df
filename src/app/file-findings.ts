import { dirname } from 'node:path';
import { groupId } from '../system/files/account-id.ts';
import { folderProblem } from '../system/files/folder-problem.ts';
import type { Settings } from './settings.ts';

/** Warns of what the sections that are no process's name and this machine has not: groups, folders. */
export function warnOfSections({ document, monitor, control, logging, events }: Settings): void {
  const warn = (section: string, key: string, problem: string | undefined): void => {
    if (problem !== undefined) document.section(section).warning(key, problem);
  };
  warn('control', 'group', groupProblem(control.group));
  warn('logging', 'group', groupProblem(logging.group));
  warn('events', 'socket_group', groupProblem(events?.socket?.group));
  warn('monitor', 'state_dir', folderProblem(monitor.stateDir, 'made'));
  warn('control', 'socket', folderProblem(dirname(control.socket), 'made'));
  if (events?.socket !== undefined) warn('events', 'socket', folderProblem(dirname(events.socket.path), 'made'));
  if (logging.file !== undefined) warn('logging', 'file', folderProblem(dirname(logging.file), 'there'));
  const path = document.section('database').text('path');
  if (path !== undefined && document.section('database').text('driver') === 'sqlite')
    warn('database', 'path', folderProblem(dirname(path), 'there'));
}

function groupProblem(group: string | undefined): string | undefined {
  if (group === undefined || groupId(group) !== undefined) return undefined;
  return `there is no group ${group} in /etc/group (expected one of it, or a number): the daemon's own group is used`;
}
