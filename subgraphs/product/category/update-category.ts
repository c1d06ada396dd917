import type { EntityManager } from '@mikro-orm/postgresql';
import { IsOptional } from 'class-validator';
import { Field, InputType } from 'type-graphql';
import { sql } from '../../shared/database/sql.js';
import { transact } from '../../shared/database/transact.js';
import { badInput, notFound } from '../../shared/errors.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { OneLine } from '../../shared/graphql/validation.js';
import { foldCase } from '../../shared/text/fold.js';
import type { ProductContext } from '../context.js';
import { Category, subtreeIdsSql } from './category.js';
import { throwNameTaken } from './create-category.js';

@InputType({ description: 'Changes to a category. Omitted fields keep their value.' })
export class UpdateCategoryInput {
  @Field(() => UUID, { description: 'The category.' })
  id!: string;

  @Field(() => String, {
    nullable: true,
    description: 'New name, 1 to 255 characters. The slug does not change.',
  })
  @IsOptional()
  @OneLine(255)
  name?: string | null;

  @Field(() => UUID, {
    nullable: true,
    description:
      'New parent, to which the category moves with all below it; null for the top level.',
  })
  parentId?: string | null;
}

/**
 * @throws `NOT_FOUND`; `CONFLICT` for a name that its parent has already; `BAD_USER_INPUT` for a parent that is
 *   unknown, the category itself or below it
 */
export function updateCategory(
  context: ProductContext,
  { id, name, parentId }: UpdateCategoryInput,
): Promise<Category> {
  return transact(context.em, async (tx) => {
    // Two concurrent moves, each valid alone, could make a cycle; two names, a key of another one.
    await sql(tx, 'lock table category in share row exclusive mode');
    const category = await tx.findOne(Category, { id });
    if (!category) throw notFound('category', id);
    if (parentId !== undefined) category.parentId = await requireParent(tx, id, parentId);
    category.name = name ?? category.name;
    category.nameKey = foldCase(category.name);
    await tx.flush().catch((error) => throwNameTaken(error, category.name));
    return category;
  });
}

/** @returns the id of a parent that exists and makes no cycle */
async function requireParent(tx: EntityManager, id: string, parentId: string | null) {
  if (parentId === null) return null;
  const [found] = await sql<{ exists: boolean; isBelow: boolean }>(
    tx,
    `select exists (select from category where id = $2) as "exists",
       $2 in (${subtreeIdsSql('$1')}) as "isBelow"`,
    [id, parentId],
  );
  if (!found?.exists) throw badInput({ 'input.parentId': 'there is no such category' });
  if (found.isBelow)
    throw badInput({ 'input.parentId': 'must not be the category itself or one below it' });
  return parentId;
}
