import { FieldResolver, Int, Resolver, Root } from 'type-graphql';
import { connectionOf } from '../../shared/graphql/connection.js';
import { Allow } from '../../shared/rights/rights.js';
import { Product } from '../product/product.js';
import type { ProductPage } from './list-products.js';

export const ProductConnection = connectionOf(Product, 'Product');

@Resolver(() => ProductConnection)
export class ProductConnectionResolver {
  @Allow('parent')
  @FieldResolver(() => Int, {
    description: 'How many there are on all pages. It is counted when it is asked for: ask once.',
  })
  totalCount(@Root() page: ProductPage): Promise<number> {
    return page.count();
  }
}
