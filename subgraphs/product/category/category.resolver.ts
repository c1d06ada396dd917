import { Arg, Ctx, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql';
import { loaderOf } from '../../shared/graphql/context.js';
import { ListMax } from '../../shared/graphql/list-max.js';
import { loadAllBy, loadBy } from '../../shared/graphql/load.js';
import { runOnce } from '../../shared/idempotency/run-once.js';
import { Allow } from '../../shared/rights/rights.js';
import type { ProductContext } from '../context.js';
import { Category, categoriesMax } from './category.js';
import { CreateCategoryInput, createCategory } from './create-category.js';
import { UpdateCategoryInput, updateCategory } from './update-category.js';

export const loadCategories = loadBy(Category, 'id');

const byName = { name: 'asc', id: 'asc' } as const;
const loadChildren = loadAllBy(Category, 'parentId', byName);

@Resolver(() => Category)
export class CategoryResolver {
  @Allow('anyone')
  @ListMax(categoriesMax)
  @Query(() => [Category], { description: 'Top-level categories, sorted by name.' })
  categories(@Ctx() { em }: ProductContext) {
    return em.find(Category, { parentId: null }, { orderBy: byName });
  }

  @Allow('admin')
  @Mutation(() => Category, { description: 'Creates a category.' })
  createCategory(
    @Arg('input', () => CreateCategoryInput) input: CreateCategoryInput,
    @Ctx() context: ProductContext,
  ) {
    const mutation = { operation: 'createCategory', input, results: [Category] };
    return runOnce(context, mutation, (once) => createCategory(context, input, once));
  }

  @Allow('admin')
  @Mutation(() => Category, { description: 'Renames a category or moves it in the tree.' })
  updateCategory(
    @Arg('input', () => UpdateCategoryInput) input: UpdateCategoryInput,
    @Ctx() context: ProductContext,
  ) {
    return updateCategory(context, input);
  }

  @Allow('anyone')
  @FieldResolver(() => Category, {
    nullable: true,
    description: 'Parent category; null at the top level.',
  })
  parent(@Root() category: Category, @Ctx() context: ProductContext) {
    return category.parentId ? loaderOf(context, loadCategories).load(category.parentId) : null;
  }

  @Allow('anyone')
  @ListMax(categoriesMax, ['Query.categories', 'Category.children'])
  @FieldResolver(() => [Category], { description: 'Child categories, sorted by name.' })
  children(@Root() category: Category, @Ctx() context: ProductContext) {
    return loaderOf(context, loadChildren).load(category.id);
  }
}
