import assert from 'node:assert/strict';
import { test } from 'node:test';
import { earlierHosts, type MysqlEndpoint } from '../../../../src/stores/mysql/endpoints.ts';

const usual = (name: string): MysqlEndpoint => ({ kind: 'socket', path: `/nonexistent/${name}`, optional: true });
const own: MysqlEndpoint = { kind: 'socket', path: '/nonexistent/own', optional: false };
const tcp = (host: string): MysqlEndpoint => ({ kind: 'tcp', host, port: 3306 });

test('all usual places of localhost are one host, and what stands before another one is earlier', () => {
  const localhost = [usual('a'), usual('b'), usual('c')];
  assert.deepEqual(earlierHosts(localhost, 2), []);
  assert.deepEqual(earlierHosts([...localhost, tcp('db')], 3), [0, 1, 2]);
  assert.deepEqual(earlierHosts([tcp('db'), ...localhost], 3), [0]);
  assert.deepEqual(earlierHosts([own, tcp('db1'), tcp('db2')], 2), [0, 1]);
  assert.deepEqual(earlierHosts([tcp('db1'), tcp('db2')], 0), []);
});
