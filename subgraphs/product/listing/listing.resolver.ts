import {
  Arg,
  Args,
  ArgsType,
  Ctx,
  Field,
  FieldResolver,
  Int,
  Query,
  Resolver,
  Root,
} from 'type-graphql';
import { connectionOf, PageArgs } from '../../shared/graphql/connection.js';
import { Allow } from '../../shared/rights/rights.js';
import { Category } from '../category/category.js';
import type { ProductContext } from '../context.js';
import { Product } from '../product/product.js';
import { productsOfCategory } from './category-products.js';
import { listProducts, type ProductPage } from './list-products.js';
import { ProductFilter, ProductSort } from './product-filter.js';

const ProductConnection = connectionOf(Product, 'Product');

@ArgsType()
class ProductPageArgs extends PageArgs {
  @Field(() => String, {
    nullable: true,
    description: 'An `endCursor` of the list in the same order.',
  })
  declare after?: string | null;
}

@Resolver()
export class ListingResolver {
  @Allow('anyone')
  @Query(() => ProductConnection, {
    description: 'The catalogue: products that match the filter, sorted.',
  })
  products(
    @Ctx() { em }: ProductContext,
    @Args(() => ProductPageArgs) { first, after }: ProductPageArgs,
    @Arg('filter', () => ProductFilter, { nullable: true, description: 'All products if omitted.' })
    filter?: ProductFilter | null,
    @Arg('sort', () => ProductSort, {
      defaultValue: ProductSort.NEWEST,
      description: 'Sort order.',
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
}

@Resolver(() => Category)
export class CategoryProductsResolver {
  @Allow('anyone')
  @FieldResolver(() => ProductConnection, {
    description: 'Products of the category and of all categories below it, newest first.',
  })
  products(
    @Root() category: Category,
    @Ctx() context: ProductContext,
    @Args(() => PageArgs) { first, after }: PageArgs,
  ) {
    return productsOfCategory(context, category.id, { first, after });
  }
}

@Resolver(() => ProductConnection)
export class ProductConnectionResolver {
  @Allow('parent')
  @FieldResolver(() => Int, {
    description:
      'Number of products on all pages. It is counted only when requested: request it once, not on every page.',
  })
  totalCount(@Root() page: ProductPage): Promise<number> {
    return page.count();
  }
}
