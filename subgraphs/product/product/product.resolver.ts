import { Arg, Ctx, FieldResolver, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import { badInput } from '../../shared/errors.js';
import { loaderOf } from '../../shared/graphql/context.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';
import { Category } from '../category/category.js';
import { loadCategories } from '../category/category.resolver.js';
import type { ProductContext } from '../context.js';
import { listProducts } from '../listing/list-products.js';
import { ProductConnection } from '../listing/listing.resolver.js';
import { ProductFilter, ProductSort } from '../listing/product-filter.js';
import { User } from '../references.js';
import { CreateProductInput, createProduct } from './editing/create-product.js';
import { deleteProduct } from './editing/delete-product.js';
import { UpdateProductInput, updateProduct } from './editing/update-product.js';
import { Product } from './product.js';
import { findProduct } from './read-products.js';
import { loadVariantsOfProducts } from './read-variants.js';
import { ProductVariant } from './variant.js';

@Resolver(() => Product)
export class ProductResolver {
  @Allow('anyone')
  @Query(() => ProductConnection, { description: 'The catalogue: searched, filtered, sorted.' })
  products(
    @Ctx() { em }: ProductContext,
    @Arg('first', () => Int, { defaultValue: 20, description: '1 to 100.' }) first: number,
    @Arg('after', () => String, {
      nullable: true,
      description: 'An `endCursor` of the list in the same order.',
    })
    after?: string,
    @Arg('filter', () => ProductFilter, { nullable: true, description: 'All, where left out.' })
    filter?: ProductFilter | null,
    @Arg('sort', () => ProductSort, {
      defaultValue: ProductSort.NEWEST,
      description: 'The order.',
    })
    sort?: ProductSort | null,
  ) {
    return listProducts(em, {
      first,
      after,
      filter: filter ?? {},
      sort: sort ?? ProductSort.NEWEST,
    });
  }

  @Allow('anyone')
  @Query(() => Product, { nullable: true, description: 'One product, by its id or its slug.' })
  product(
    @Ctx() context: ProductContext,
    @Arg('id', () => UUID, { nullable: true, description: 'Its id.' }) id?: string,
    @Arg('slug', () => String, { nullable: true, description: 'Its slug.' }) slug?: string,
  ) {
    if (!id && !slug) throw badInput({ id: 'give an id or a slug' });
    return findProduct(context, id ? { id } : { slug: slug as string });
  }

  @Allow('vendor')
  @Mutation(() => Product, { description: 'Makes a product with its variants.' })
  createProduct(
    @Arg('input', () => CreateProductInput) input: CreateProductInput,
    @Ctx() context: ProductContext,
  ) {
    return createProduct(context, input);
  }

  @Allow('creator')
  @Mutation(() => Product, { description: 'Changes a product of one’s own.' })
  updateProduct(
    @Arg('input', () => UpdateProductInput) input: UpdateProductInput,
    @Ctx() context: ProductContext,
  ) {
    return updateProduct(context, input);
  }

  @Allow('creator')
  @Mutation(() => Boolean, {
    description: 'Deletes a product of one’s own; orders go on showing what was bought.',
  })
  deleteProduct(
    @Arg('id', () => UUID, { description: 'The product.' }) id: string,
    @Ctx() context: ProductContext,
  ) {
    return deleteProduct(context, id);
  }

  @Allow('anyone')
  @FieldResolver(() => Category, { description: 'The category it belongs to.' })
  category(@Root() product: Product, @Ctx() context: ProductContext) {
    return loaderOf(context, loadCategories).load(product.categoryId);
  }

  @Allow('anyone')
  @FieldResolver(() => [ProductVariant], {
    description: 'Its variants, by sku; none of a deleted one.',
  })
  variants(@Root() product: Product, @Ctx() context: ProductContext) {
    return loaderOf(context, loadVariantsOfProducts).load(product.id);
  }

  @Allow('anyone')
  @FieldResolver(() => User, { nullable: true, description: 'Who made it.' })
  createdBy(@Root() product: Product): User {
    return { id: product.createdById };
  }
}
