import { createHash } from 'node:crypto';
import pg from 'pg';

const names = new Map<string, string>();

/** One name for one text: two texts under one name would be mixed up. */
export function keepPrepared(text: string): void {
  if (names.has(text)) return;
  names.set(text, createHash('sha256').update(text).digest('base64url'));
}

type Query = (...args: unknown[]) => unknown;

/**
 * Gives each statement that is kept its name, inside transactions too, so that PostgreSQL parses and
 * plans it once per connection. Kysely, which MikroORM asks, knows of no names.
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
  if (!name) return send.call(this, text, values, ...rest);
  return send.call(this, { name, text, values }, ...rest);
} as pg.Client['query'];
