import {
  Arg,
  Args,
  Ctx,
  Directive,
  FieldResolver,
  Float,
  Int,
  Query,
  Resolver,
  Root,
} from 'type-graphql';
import { queuedSalesMax } from '../../contracts/shop.js';
import { isSoldOut } from '../../contracts/warehouse.js';
import { PageArgs } from '../../shared/graphql/connection.js';
import { loaderOf } from '../../shared/graphql/context.js';
import { ListMax } from '../../shared/graphql/list-max.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Money, money } from '../../shared/money.js';
import { Allow, VariesByUser } from '../../shared/rights/rights.js';
import type { ShopContext } from '../context.js';
import { Offer } from '../offer/offer.js';
import { loadOffers } from '../offer/read-offers.js';
import { loadSaleStock } from '../sale-window/sale-stock.js';
import { loadShops, type ShopRow } from '../shop/read-shops.js';
import { Shop } from '../shop/shop.js';
import { QueuedSale, readQueuedSales } from './queued-sale.js';
import {
  findOpenSales,
  loadPausedMs,
  loadSaleStates,
  loadSales,
  offersOfSale,
  type SaleOfferRow,
  salesOfShop,
  shownSale,
} from './read-sales.js';
import { SaleEvent, SaleEventConnection, SaleStateEnum } from './sale-event.js';
import { SaleOffer, SaleOfferConnection } from './sale-offer.js';
import { readSaleSummaries, SaleSummary } from './sale-summary.js';

/** Sales of one call. */
const salesMax = 1000;

@Resolver(() => SaleEvent)
export class SaleResolver {
  @Allow('anyone')
  @VariesByUser()
  @Query(() => SaleEvent, {
    nullable: true,
    description:
      'A sale by id; null if there is none. One that was never published is for its owner and admins, a platform event also for vendors.',
  })
  async sale(
    @Arg('id', () => UUID, { description: 'The id of the sale.' }) id: string,
    @Ctx() context: ShopContext,
  ) {
    return shownSale(context, await loaderOf(context, loadSales).load(id));
  }

  @Allow('anyone')
  @VariesByUser()
  @Query(() => SaleEvent, { nullable: true, description: 'As `sale`, by its URL slug.' })
  async saleBySlug(
    @Arg('slug', () => String, { description: 'URL slug of the sale.' }) slug: string,
    @Ctx() context: ShopContext,
  ) {
    return shownSale(context, await context.em.findOne(SaleEvent, { slug }));
  }

  @Allow('anyone')
  @Query(() => SaleEventConnection, {
    description: 'Sales that are scheduled, live or paused, in the order of their starts.',
  })
  sales(@Ctx() context: ShopContext, @Args(() => PageArgs) page: PageArgs) {
    return findOpenSales(context, page);
  }

  @Directive('@inaccessible')
  @Allow('caller:order')
  @ListMax(salesMax)
  @Query(() => [SaleSummary], {
    description: 'Sales that were published; unknown ids and drafts are left out.',
  })
  salesById(
    @Arg('ids', () => [UUID], { description: 'Ids of the sales.' }) ids: string[],
    @Ctx() context: ShopContext,
  ) {
    return readSaleSummaries(context, ids);
  }

  @Directive('@inaccessible')
  @Allow('caller:order')
  @ListMax(queuedSalesMax)
  @Query(() => [QueuedSale], {
    description: 'Published sales with a queue that are not over for more than an hour.',
  })
  queuedSales(@Ctx() context: ShopContext) {
    return readQueuedSales(context);
  }

  @Allow('anyone')
  @FieldResolver(() => SaleStateEnum, { description: 'Current state.' })
  state(@Root() { id }: SaleEvent, @Ctx() context: ShopContext) {
    return loaderOf(context, loadSaleStates).load(id);
  }

  @Allow('anyone')
  @FieldResolver(() => Float, {
    description: 'How long the sale has been paused in all, in milliseconds.',
  })
  pausedMs(@Root() { id }: SaleEvent, @Ctx() context: ShopContext) {
    return loaderOf(context, loadPausedMs).load(id);
  }

  @Allow('anyone')
  @FieldResolver(() => Boolean, {
    description:
      'Whether a change waits for the warehouse to set units aside. Until then the sale is as it was.',
  })
  isChanging(@Root() { step, status }: SaleEvent): boolean {
    return step !== null && status !== 'CANCELLED';
  }

  @Allow('anyone')
  @FieldResolver(() => Shop, {
    nullable: true,
    description: 'The shop; null for a platform event, which several shops may join.',
  })
  shop(@Root() { shopId }: SaleEvent, @Ctx() context: ShopContext) {
    return shopId === null ? null : loaderOf(context, loadShops).load(shopId);
  }

  @Allow('anyone')
  @FieldResolver(() => SaleOfferConnection, {
    description: 'Offers in the sale, in the order in which their shops made them.',
  })
  offers(
    @Root() { id }: SaleEvent,
    @Ctx() context: ShopContext,
    @Args(() => PageArgs) page: PageArgs,
  ) {
    return offersOfSale(context, id, page);
  }
}

@Resolver(() => Shop)
export class ShopSalesResolver {
  @Allow('anyone')
  @VariesByUser()
  @FieldResolver(() => SaleEventConnection, {
    description:
      'Sales of the shop, newest first. Its owner sees those that were never published, too.',
  })
  sales(@Root() shop: ShopRow, @Ctx() context: ShopContext, @Args(() => PageArgs) page: PageArgs) {
    return salesOfShop(context, shop, page);
  }
}

@Resolver(() => SaleOffer)
export class SaleOfferResolver {
  @Allow('parent')
  @FieldResolver(() => SaleEvent, { nullable: true, description: 'The sale.' })
  sale(@Root() { saleId }: SaleOfferRow, @Ctx() context: ShopContext) {
    return loaderOf(context, loadSales).load(saleId);
  }

  @Allow('parent')
  @FieldResolver(() => Offer, { nullable: true, description: 'The offer.' })
  offer(@Root() { id }: SaleOfferRow, @Ctx() context: ShopContext) {
    return loaderOf(context, loadOffers).load(id);
  }

  @Allow('parent')
  @FieldResolver(() => Money, { description: 'Price of one unit in the sale.' })
  price(@Root() { priceAmount, currencyCode }: SaleOfferRow): Money {
    return money(priceAmount, currencyCode);
  }

  @Allow('parent')
  @FieldResolver(() => Int, {
    nullable: true,
    description:
      'Units that the sale can sell now; 0 if all are held, some of which may come back. Null before the sale is published, and while it is not known.',
  })
  async remaining(@Root() offer: SaleOfferRow, @Ctx() context: ShopContext) {
    return (await loaderOf(context, loadSaleStock).load(offer))?.remaining ?? null;
  }

  @Allow('parent')
  @FieldResolver(() => Boolean, {
    nullable: true,
    description:
      'Whether all units of the sale are sold, which is final. Null before the sale is published, and while it is not known.',
  })
  async soldOut(@Root() offer: SaleOfferRow, @Ctx() context: ShopContext) {
    const stock = await loaderOf(context, loadSaleStock).load(offer);
    return stock && isSoldOut(stock);
  }
}
