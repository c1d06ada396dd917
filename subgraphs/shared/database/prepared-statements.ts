import { createHash } from 'node:crypto';
import pg from 'pg';
import { beginWithStatement } from './begin-with-statement.js';

const names = new Map<string, string>();

/** Marks a text as prepared. Its name is a hash, so that no two texts share one. */
export function keepPrepared(text: string): void {
  if (names.has(text)) return;
  names.set(text, createHash('sha256').update(text).digest('base64url'));
}

type Query = (...args: unknown[]) => unknown;

const textOf = (query: unknown) =>
  typeof query === 'string' ? query : (query as { text?: string } | null)?.text;

/**
 * @throws Error if a COMMIT rolled back: that of a transaction in which a statement failed, to which PostgreSQL
 *   responds with ROLLBACK instead of an error
 */
export function requireCommitted(result: pg.QueryResult): pg.QueryResult {
  if (result.command === 'COMMIT') return result;
  throw new Error('nothing was committed: a statement of the transaction had failed');
}

const emptyResult = (command: string) => ({ command, rowCount: null, rows: [], fields: [] });

/** connections whose BEGIN is sent with their next statement */
const toBegin = new WeakSet<pg.Client>();

/**
 * Adds its name to each prepared statement, inside transactions too, so that PostgreSQL parses and plans it
 * once per connection. Kysely, which MikroORM uses, does not support names, nor look at the response to COMMIT.
 * BEGIN waits for the first statement of its transaction; of a transaction without one nothing is sent.
 */
export class PreparingClient extends pg.Client {}

PreparingClient.prototype.query = function (
  this: pg.Client,
  query: unknown,
  values?: unknown,
  ...rest: unknown[]
) {
  const send = pg.Client.prototype.query.bind(this) as Query;
  const text = textOf(query);
  if (text === 'begin') {
    toBegin.add(this);
    return Promise.resolve(emptyResult('BEGIN'));
  }
  const isFirst = toBegin.delete(this);
  if (text === 'commit') {
    if (isFirst) return Promise.resolve(emptyResult('COMMIT'));
    return (send(query) as Promise<pg.QueryResult>).then(requireCommitted);
  }
  if (isFirst && text === 'rollback') return Promise.resolve(emptyResult('ROLLBACK'));
  const name = typeof query === 'string' ? names.get(query) : undefined;
  const statement = name ? [{ name, text, values }] : [query, values];
  return isFirst ? beginWithStatement(send, statement) : send(...statement, ...rest);
} as pg.Client['query'];
