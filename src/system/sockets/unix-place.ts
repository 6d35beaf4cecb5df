// The place of a Unix socket, which is kept open.
import type { Server } from 'node:net';
import type { Logger } from '../../core/logger.ts';
import { groupId } from '../accounts/database.ts';
import { listenOnSocket } from './file.ts';
import type { Listening } from './kept-listener.ts';
import type { OpenServers } from './open-servers.ts';

/** Where a Unix socket is made, and how. */
interface UnixPlaceOptions {
  /** Its name for people: `control socket`. */
  readonly what: string;
  readonly path: string;
  /** See SocketFileOptions.cure. */
  readonly cure: string;
  readonly mode: number;
  /** Name or number of the group that it is given to; undefined: our own. */
  readonly group: string | undefined;
  readonly servers: OpenServers;
  readonly log: Logger;
}

/** The place of a Unix socket, on which one server after the other listens if its file has to be made again. */
export class UnixPlace {
  readonly #options: UnixPlaceOptions;
  #reported: string | undefined;

  constructor(options: UnixPlaceOptions) {
    this.#options = options;
  }

  /** Makes a server listen there; `servers` follows it. Rejects with a SocketFileError. */
  async open(server: Server): Promise<Listening> {
    const { what, path, cure, mode, group, servers } = this.#options;
    const gid = group === undefined ? undefined : groupId(group);
    if (group !== undefined && gid === undefined) this.#reportGroupProblem('there is no such group');
    const onGroupProblem = (problem: string): void => this.#reportGroupProblem(problem);
    const file = await listenOnSocket(server, { what, path, cure, mode, gid, onGroupProblem });
    servers.follow(server, this.#name);
    return {
      isThere: () => file.isThere(),
      close: () => {
        file.remove();
        server.close();
      },
    };
  }

  /** Not repeated each time the socket is made. */
  #reportGroupProblem(problem: string): void {
    const { group, log } = this.#options;
    if (problem !== this.#reported) log.warning(`${this.#name} could not be given to the group ${group}: ${problem}`);
    this.#reported = problem;
  }

  get #name(): string {
    const { what, path } = this.#options;
    return `${what.charAt(0).toUpperCase()}${what.slice(1)} ${path}`;
  }
}
