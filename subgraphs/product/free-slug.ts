import { randomBytes } from 'node:crypto';
import type { EntityManager } from '@mikro-orm/postgresql';
import { isUniqueViolation } from '../shared/database/errors.js';
import { sql } from '../shared/database/sql.js';
import { conflict } from '../shared/errors.js';

const attemptsMax = 10;
const numbersMax = 100;

/**
 * Creates a row with a slug, or with one of the first free ones of `slug-2`, `slug-3` and so on if it is taken.
 *
 * @param create runs in a transaction of its own, which fails if another one takes the slug meanwhile
 * @throws `CONFLICT` if others took the slug each time
 */
export async function withFreeSlug<T>(
  em: EntityManager,
  table: 'product' | 'category',
  slug: string,
  create: (free: string) => Promise<T>,
): Promise<T> {
  let free = slug;
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    try {
      return await create(free);
    } catch (error) {
      if (!isUniqueViolation(error, `${table}_slug`)) throw error;
    }
    free = await readFree(em, table, slug, 2 ** (attempt - 1));
  }
  throw conflict(`Others are taking the slugs of ${slug}. Please try again.`);
}

/**
 * One of the first free numbers at random: the more there are, the fewer choose the same. A name that a hundred have
 * gets a random suffix, so that nobody looks through all of them, or uses them up.
 */
async function readFree(
  em: EntityManager,
  table: string,
  slug: string,
  choices: number,
): Promise<string> {
  const candidates = Array.from({ length: numbersMax }, (_, n) => `${slug}-${n + 2}`);
  const rows = await sql<{ slug: string }>(
    em,
    `select slug from ${table} where slug = any($1::text[])`,
    [candidates],
  );
  const taken = new Set(rows.map((row) => row.slug));
  const free = candidates.filter((each) => !taken.has(each)).slice(0, choices);
  const random = `${slug}-${randomBytes(4).toString('hex')}`;
  return free[Math.floor(Math.random() * free.length)] ?? random;
}
