import { StoreError } from '../core/errors.ts';
import { quoted } from '../core/text/printable.ts';

/** Whose rows are ours, as configured. */
export interface RowScope {
  /** `[host] host_id`; `all`: the rows of every host; undefined: not set. */
  readonly hostId: string | undefined;
  /** `only_configured`: what has no section is left alone. */
  readonly onlyConfigured: boolean;
}

/** As long as nothing is said of hosts. */
export const NOTHING_CONFIGURED: RowScope = { hostId: undefined, onlyConfigured: false };

/** That no row is of this host: a slip of the key would else look as if all were well. */
export function noRowRemark({ hostId = '' }: RowScope): string {
  return `no row has the host_id ${quoted(hostId)} that stands in [host]: nothing is healed here (texts are compared letter by letter)`;
}

/** Which rows of tables with, or without, a column `host_id` are ours: those of one host, or all. `remark`: what is to be told of it. */
type OwnRows = { readonly kind: 'host'; readonly hostId: string } | { readonly kind: 'all'; readonly remark?: string };

/**
 * Judges `scope` by whether the tables have a column `host_id`. Throws a StoreError (`config`) where it is not known whose rows are
 * ours: none is, then. `store`: AlarmStore.description.
 */
export function ownRows(scope: RowScope, hasHostColumn: boolean, store: string): OwnRows {
  const { hostId, onlyConfigured } = scope;
  if (hasHostColumn) {
    if (hostId === undefined)
      throw new StoreError(
        'config',
        `${store}: the rows have a column host_id, and nothing says which are of this host: set [host] host_id (expected the id of this host, or all)`,
      );
    if (hostId !== ALL) return { kind: 'host', hostId };
    return { kind: 'all', remark: '[host] host_id = all: the alarms of every host are healed here, and cleared' };
  }
  if (hostId === undefined || hostId === ALL || onlyConfigured) return { kind: 'all' };
  throw new StoreError(
    'config',
    `${store}: [host] host_id is ${quoted(hostId)}, and the rows have no column host_id: nothing says which are of this host (expected such a column, or only_configured = true, or no host_id)`,
  );
}

const ALL = 'all';
