import { Field, InputType } from 'type-graphql';
import { isUniqueViolation } from '../../shared/database/errors.js';
import { sql } from '../../shared/database/sql.js';
import { type Once, transact } from '../../shared/database/transact.js';
import { conflict, notFound } from '../../shared/errors.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { OneLine } from '../../shared/graphql/validation.js';
import { KeyField } from '../../shared/idempotency/key-field.js';
import { newId } from '../../shared/ids.js';
import type { ProductContext } from '../context.js';
import { slugOf } from '../slug.js';
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
 * @throws `NOT_FOUND` for an unknown parent, `CONFLICT` for a name whose slug is taken, and beyond 1,000
 *   categories
 */
export function createCategory(
  { em }: ProductContext,
  { name, parentId = null }: CreateCategoryInput,
  once?: Once<Category>,
): Promise<Category> {
  const work = async (tx: typeof em) => {
    // Two at once could exceed the maximum: the lock lets one run at a time.
    await sql(tx, 'lock table category in share row exclusive mode');
    const count = await tx.count(Category);
    if (count >= categoriesMax) throw conflict(`There are ${count} categories, the maximum.`);
    if (parentId && !(await tx.findOne(Category, parentId))) throw notFound('category', parentId);
    const category = tx.create(Category, { id: newId(), name, slug: slugOf(name), parentId });
    await tx.persist(category).flush().catch(throwSlugTaken);
    return category;
  };
  return transact(em, work, once);
}

function throwSlugTaken(error: unknown): never {
  if (!isUniqueViolation(error, 'category_slug')) throw error;
  throw conflict('A category with the same slug already exists. Choose another name.');
}
