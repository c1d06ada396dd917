import { Length } from 'class-validator';
import { Field, InputType } from 'type-graphql';
import { isUniqueViolation } from '../../shared/database/errors.js';
import { conflict, notFound } from '../../shared/errors.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { newId } from '../../shared/ids.js';
import type { ProductContext } from '../context.js';
import { slugOf } from '../slug.js';
import { Category } from './category.js';

@InputType({ description: 'A new category.' })
export class CreateCategoryInput {
  @Field(() => String, { description: 'Name, 1 to 255 characters. The slug is made from it.' })
  @Length(1, 255)
  name!: string;

  @Field(() => UUID, { nullable: true, description: 'Parent category; null for the top level.' })
  parentId?: string | null;
}

/** @throws `NOT_FOUND` for an unknown parent, `CONFLICT` for a name whose slug is taken */
export async function createCategory({ em }: ProductContext, input: CreateCategoryInput) {
  const fork = em.fork();
  const parentId = input.parentId ?? null;
  if (parentId && !(await fork.findOne(Category, parentId))) throw notFound('category', parentId);
  const category = fork.create(Category, {
    id: newId(),
    name: input.name,
    slug: slugOf(input.name),
    parentId,
  });
  try {
    await fork.persist(category).flush();
  } catch (error) {
    if (isUniqueViolation(error, 'category_slug'))
      throw conflict('A category with the same slug already exists. Choose another name.');
    throw error;
  }
  return category;
}
