import assert from 'node:assert/strict';
import { StoreError } from '../../src/core/errors.ts';
import type { MysqlEndpoint } from '../../src/stores/mysql/endpoints.ts';
import type { MysqlOptions } from '../../src/stores/mysql/options.ts';
import { MysqlStore } from '../../src/stores/mysql/store.ts';
import type { StoreReport } from '../../src/stores/store.ts';
import { recordedConsole } from './recorded-console.ts';
import { mysqlOptions } from './store-worlds.ts';

/** What came of a poll on a store of its own. */
export interface StoreCall {
  /** Undefined where it went well. */
  readonly error: StoreError | undefined;
  /** What `check-config --database` would print; undefined where it failed. */
  readonly report: StoreReport | undefined;
  /** What the store warned of. */
  readonly warnings: readonly string[];
}

/**
 * Polls a server once, as user m, then does `more`, and inspects it; whatever comes of it, nothing is printed, and no line holds the
 * password.
 */
export async function pollOnce(
  endpoint: MysqlEndpoint,
  change: Partial<MysqlOptions> = {},
  more: (store: MysqlStore) => Promise<unknown> = async () => {},
): Promise<StoreCall> {
  const warnings: string[] = [];
  const options = mysqlOptions({ socket: '' }, { endpoints: [endpoint], user: 'm', password: PASSWORD, ...change });
  const store = new MysqlStore(options, undefined, undefined, (text) => warnings.push(text));
  const printed = recordedConsole();
  try {
    await store.readAlarms();
    await more(store);
    return { error: undefined, report: await store.inspect(), warnings };
  } catch (error) {
    assert.ok(error instanceof StoreError, String(error));
    assert.doesNotMatch(error.message, /[\n\u0000-\u001f]/);
    assert.ok(error.message.length < 1000, error.message);
    return { error, report: undefined, warnings };
  } finally {
    await store.close();
    printed.end();
    assert.deepEqual(printed.lines, []);
    assert.doesNotMatch(warnings.join(), new RegExp(PASSWORD));
  }
}

export const PASSWORD = 's3cret-and-long-enough';
