import type { EntityManager } from '@mikro-orm/postgresql';
import { isUniqueViolation } from '../shared/database/errors.js';
import { sql } from '../shared/database/sql.js';
import { conflict } from '../shared/errors.js';

const attemptsMax = 10;
/** Looked at together. */
const suffixesMax = 100_000;

/**
 * Creates a row with a slug, or with the first free one of `slug-2`, `slug-3` and so on if it is taken.
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

/** One of the first free ones at random: the more there are, the fewer choose the same. */
async function readFree(
  em: EntityManager,
  table: string,
  slug: string,
  choices: number,
): Promise<string> {
  for (let [first, count] = [2, 100]; count <= suffixesMax; first += count, count *= 10) {
    const candidates = Array.from({ length: count }, (_, n) => `${slug}-${first + n}`);
    const rows = await sql<{ slug: string }>(
      em,
      `select slug from ${table} where slug = any($1::text[])`,
      [candidates],
    );
    const taken = new Set(rows.map((row) => row.slug));
    const free = candidates.filter((each) => !taken.has(each)).slice(0, choices);
    const chosen = free[Math.floor(Math.random() * free.length)];
    if (chosen) return chosen;
  }
  throw conflict(`All slugs of ${slug} are taken. Choose another name.`);
}
