// Which rows of the database belong to this host.
import { StoreError } from '../core/errors.ts';
import { quoted } from '../core/text/printable.ts';

/** Which rows are ours, as configured. */
export interface RowScope {
  /** `[host] host_id`; `all`: the rows of every host; undefined: not set. */
  readonly hostId: string | undefined;
  /** `only_configured`: rows of processes without a section are left alone. */
  readonly onlyConfigured: boolean;
}

/** The scope if nothing about hosts is configured. */
export const NOTHING_CONFIGURED: RowScope = { hostId: undefined, onlyConfigured: false };

/** The remark that no row belongs to this host: otherwise a typing error in the key would look as if all were well. */
export function noRowRemark({ hostId = '' }: RowScope): string {
  return `no row has the host_id ${quoted(hostId)} that is set in [host]: nothing is healed on this host (the value has to be exactly equal)`;
}

/** Which rows are ours: those of one host, or all. `remark`: what to report about it. */
type OwnRows = { readonly kind: 'host'; readonly hostId: string } | { readonly kind: 'all'; readonly remark?: string };

/**
 * Decides whose rows are ours, by `scope` and whether the tables have a column `host_id`. Throws a StoreError (`config`) if
 * this is not known: then no row is ours. `store`: AlarmStore.description.
 */
export function ownRows(scope: RowScope, hasHostColumn: boolean, store: string): OwnRows {
  const { hostId, onlyConfigured } = scope;
  if (hasHostColumn) {
    if (hostId === undefined)
      throw new StoreError(
        'config',
        `${store}: the tables have a column host_id, but [host] host_id is not set: set it to the id of this host, or to all`,
      );
    if (hostId !== ALL) return { kind: 'host', hostId };
    return { kind: 'all', remark: '[host] host_id = all: this host heals and clears the alarms of every host' };
  }
  if (hostId === undefined || hostId === ALL || onlyConfigured) return { kind: 'all' };
  throw new StoreError(
    'config',
    `${store}: [host] host_id is ${quoted(hostId)}, but the tables have no column host_id: add the column, set only_configured = true, or remove host_id`,
  );
}

const ALL = 'all';
