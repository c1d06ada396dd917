import { Args, Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { identityOf } from '../../../shared/auth/callers.js';
import { forbidden, notFound } from '../../../shared/errors.js';
import { PageArgs } from '../../../shared/graphql/connection.js';
import { loaderOf } from '../../../shared/graphql/context.js';
import { ListMax } from '../../../shared/graphql/list-max.js';
import { Allow, owns } from '../../../shared/rights/rights.js';
import type { OrderContext } from '../../context.js';
import { SaleEvent } from '../../references.js';
import { loadReports, loadSales } from './load-reports.js';
import { loadRefusals, loadRefusalTotals, pageOfRefusals } from './read-refusals.js';
import { kindsMax, SaleRefusalsConnection, SaleRefusalTotal, SaleReport } from './sale-report.js';

@Resolver(() => SaleEvent)
export class SaleEventResolver {
  @Allow('shop-owner')
  @FieldResolver(() => SaleReport, {
    nullable: true,
    description: 'What came of the sale so far. Visible to the owners of its shops and to admins.',
  })
  async report(@Root() { id }: SaleEvent, @Ctx() context: OrderContext): Promise<SaleReport> {
    const sale = await loaderOf(context, loadSales).load(id);
    if (!sale) throw notFound('published sale', id);
    const { role } = identityOf(context);
    const shopIds = sale.shops
      .filter(({ ownerId }) => owns(context, ownerId))
      .map(({ shopId }) => shopId);
    if (shopIds.length === 0 && role !== 'ADMIN') throw forbidden();
    return loaderOf(context, loadReports).load({ sale, shopIds });
  }
}

@Resolver(() => SaleReport)
export class SaleReportResolver {
  @Allow('parent')
  @ListMax(kindsMax)
  @FieldResolver(() => [SaleRefusalTotal], {
    description:
      'Refused checkouts by kind, the most frequent first. Each process writes its counts once a second: a crash loses the last one.',
  })
  refusalTotals(@Root() { of }: SaleReport, @Ctx() context: OrderContext) {
    return loaderOf(context, loadRefusalTotals).load(of);
  }

  @Allow('parent')
  @FieldResolver(() => SaleRefusalsConnection, {
    description: 'Refused checkouts by minute and kind, newest first.',
  })
  refusals(
    @Root() { of }: SaleReport,
    @Ctx() context: OrderContext,
    @Args(() => PageArgs) page: PageArgs,
  ) {
    return loaderOf(context, loadRefusals).load(pageOfRefusals(of, page));
  }
}
