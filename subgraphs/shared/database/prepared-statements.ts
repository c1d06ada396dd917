import { createHash } from 'node:crypto';
import pg from 'pg';

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

/**
 * Adds its name to each prepared statement, inside transactions too, so that PostgreSQL parses and plans it
 * once per connection. Kysely, which MikroORM uses, does not support names, nor look at the response to COMMIT.
 */
export class PreparingClient extends pg.Client {}

PreparingClient.prototype.query = function (
  this: pg.Client,
  text: unknown,
  values?: unknown,
  ...rest: unknown[]
) {
  const name = typeof text === 'string' ? names.get(text) : undefined;
  const send = pg.Client.prototype.query as Query;
  if (textOf(text) === 'commit') {
    return (send.call(this, text) as Promise<pg.QueryResult>).then(requireCommitted);
  }
  if (!name) return send.call(this, text, values, ...rest);
  return send.call(this, { name, text, values }, ...rest);
} as pg.Client['query'];
