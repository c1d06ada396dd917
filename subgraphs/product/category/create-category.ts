import type { EntityManager } from '@mikro-orm/postgresql';
import { Field, InputType } from 'type-graphql';
import { isUniqueViolation } from '../../shared/database/errors.js';
import { sql } from '../../shared/database/sql.js';
import { type Once, transact } from '../../shared/database/transact.js';
import { conflict, notFound } from '../../shared/errors.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { OneLine } from '../../shared/graphql/validation.js';
import { KeyField } from '../../shared/idempotency/key-field.js';
import { newId } from '../../shared/ids.js';
import { foldCase } from '../../shared/text/fold.js';
import { slugOf } from '../../shared/text/slug.js';
import type { ProductContext } from '../context.js';
import { withFreeSlug } from '../free-slug.js';
import { Category, categoriesMax } from './category.js';

@InputType({ description: 'A new category.' })
export class CreateCategoryInput {
  @Field(() => String, { description: 'Name, 1 to 255 characters. The slug is made from it.' })
  @OneLine(255)
  name!: string;

  @Field(() => UUID, { nullable: true, description: 'Parent category; null for the top level.' })
  parentId?: string | null;

  @KeyField()
  idempotencyKey?: string | null;
}

/**
 * A slug that is taken gets a suffix.
 *
 * @throws `NOT_FOUND` for an unknown parent, `CONFLICT` for a name that its parent has already, and beyond 1,000
 *   categories
 */
export function createCategory(
  { em }: ProductContext,
  { name, parentId = null }: CreateCategoryInput,
  once?: Once<Category>,
): Promise<Category> {
  const insert = async (tx: EntityManager, slug: string) => {
    // Two at once could exceed the maximum: the lock lets one run at a time.
    await sql(tx, 'lock table category in share row exclusive mode');
    const count = await tx.count(Category);
    if (count >= categoriesMax) throw conflict(`There are ${count} categories, the maximum.`);
    if (parentId && !(await tx.findOne(Category, parentId))) throw notFound('category', parentId);
    const id = newId();
    const category = tx.create(Category, { id, name, nameKey: foldCase(name), slug, parentId });
    await tx
      .persist(category)
      .flush()
      .catch((error) => throwNameTaken(error, name));
    return category;
  };
  const create = (slug: string) => transact(em, (tx) => insert(tx, slug), once);
  return withFreeSlug(em, 'category', slugOf(name, 'category'), create);
}

/** Throws `CONFLICT` for a name that another category of the same parent has, and any other error unchanged. */
export function throwNameTaken(error: unknown, name: string): never {
  if (!isUniqueViolation(error, 'category_name')) throw error;
  throw conflict(`A category “${name}” already exists under this parent. Choose another name.`);
}
