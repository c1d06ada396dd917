import type { EntityManager } from '@mikro-orm/postgresql';
import { IsOptional, Length } from 'class-validator';
import { Field, InputType } from 'type-graphql';
import { sql } from '../../shared/database/sql.js';
import { badInput, notFound } from '../../shared/errors.js';
import { UUID } from '../../shared/graphql/scalars.js';
import type { ProductContext } from '../context.js';
import { belowCategory, Category } from './category.js';

@InputType({ description: 'Changes of a category. What is left out stays.' })
export class UpdateCategoryInput {
  @Field(() => UUID, { description: 'The category.' })
  id!: string;

  @Field(() => String, {
    nullable: true,
    description: 'Its name, 1 to 255 characters. Its slug stays: it stands in addresses.',
  })
  @IsOptional()
  @Length(1, 255)
  name?: string | null;

  @Field(() => UUID, {
    nullable: true,
    description: 'The category it is to stand under, with all below it; null: at the top.',
  })
  parentId?: string | null;
}

/** @throws `NOT_FOUND`; `BAD_USER_INPUT` for a parent that is unknown, itself or below itself */
export function updateCategory(
  context: ProductContext,
  { id, name, parentId }: UpdateCategoryInput,
): Promise<Category> {
  return context.em.fork().transactional(async (tx) => {
    const category = await tx.findOne(Category, { id });
    if (!category) throw notFound('category', id);
    if (parentId !== undefined) category.parentId = await requireParent(tx, id, parentId);
    category.name = name ?? category.name;
    return category;
  });
}

/** @returns the parent, once it is sure that it makes no cycle */
async function requireParent(tx: EntityManager, id: string, parentId: string | null) {
  if (parentId === null) return null;
  // Two moves at once, each fine by itself, could make a cycle: they come one after the other.
  await sql(tx, 'lock table category in share row exclusive mode');
  const [found] = await sql<{ known: boolean; below: boolean }>(
    tx,
    `select exists (select from category where id = $2) as known,
       $2 in (${belowCategory('$1')}) as below`,
    [id, parentId],
  );
  if (!found?.known) throw badInput({ 'input.parentId': 'there is no such category' });
  if (found.below) throw badInput({ 'input.parentId': 'is the category itself, or below it' });
  return parentId;
}
