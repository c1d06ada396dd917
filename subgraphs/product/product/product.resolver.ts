import { Arg, Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import { variantsMax } from '../../contracts/product.js';
import { badInput } from '../../shared/errors.js';
import { loaderOf } from '../../shared/graphql/context.js';
import { ListMax } from '../../shared/graphql/list-max.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';
import { Category } from '../category/category.js';
import { loadCategories } from '../category/category.resolver.js';
import type { ProductContext } from '../context.js';
import { User } from '../references.js';
import { Product } from './product.js';
import { findProduct } from './read-products.js';
import { loadVariantsOfProducts } from './read-variants.js';
import { ProductVariant } from './variant.js';

@Resolver(() => Product)
export class ProductResolver {
  @Allow('anyone')
  @Query(() => Product, {
    nullable: true,
    description: 'A product by id or slug; null if there is none, or it was deleted.',
  })
  product(
    @Ctx() context: ProductContext,
    @Arg('id', () => UUID, { nullable: true, description: 'Id of the product.' }) id?: string,
    @Arg('slug', () => String, { nullable: true, description: 'URL slug of the product.' })
    slug?: string,
  ) {
    if (!id && !slug) throw badInput({ id: 'id or slug is required' });
    return findProduct(context, id ? { id } : { slug: slug as string });
  }

  @Allow('anyone')
  @FieldResolver(() => Category, { description: 'The category.' })
  category(@Root() product: Product, @Ctx() context: ProductContext) {
    return loaderOf(context, loadCategories).load(product.categoryId);
  }

  @Allow('anyone')
  @ListMax(variantsMax)
  @FieldResolver(() => [ProductVariant], {
    description: 'Variants, sorted by SKU; none if the product was deleted.',
  })
  variants(@Root() product: Product, @Ctx() context: ProductContext) {
    return loaderOf(context, loadVariantsOfProducts).load(product.id);
  }

  @Allow('anyone')
  @FieldResolver(() => User, { nullable: true, description: 'The user who created the product.' })
  createdBy(@Root() product: Product): User {
    return { id: product.createdById };
  }
}
