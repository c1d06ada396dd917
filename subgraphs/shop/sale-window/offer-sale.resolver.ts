import { Ctx, FieldResolver, Int, Resolver, Root } from 'type-graphql';
import { loaderOf } from '../../shared/graphql/context.js';
import { Allow } from '../../shared/rights/rights.js';
import type { ShopContext } from '../context.js';
import { OfferSale } from './offer-sale.js';
import { loadSaleStock } from './sale-stock.js';

@Resolver(() => OfferSale)
export class OfferSaleResolver {
  @Allow('parent')
  @FieldResolver(() => Int, {
    nullable: true,
    description:
      'Units that the sale can sell now; 0 if all are held, some of which may come back. Null while it is not known.',
  })
  async remaining(@Root() { id, shopId, sku }: OfferSale, @Ctx() context: ShopContext) {
    const stock = await loaderOf(context, loadSaleStock).load({ saleId: id, shopId, sku });
    return stock?.remaining ?? null;
  }
}
