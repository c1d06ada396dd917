import { Arg, Args, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import { identityOf } from '../../../shared/auth/callers.js';
import { currencyDefault } from '../../../shared/currencies.js';
import { sql } from '../../../shared/database/sql.js';
import { PageArgs } from '../../../shared/graphql/connection.js';
import { type BatchLoad, loaderOf } from '../../../shared/graphql/context.js';
import { uncached } from '../../../shared/graphql/load.js';
import { loadPagesBy, pageInShard } from '../../../shared/graphql/load-pages.js';
import { UUID } from '../../../shared/graphql/scalars.js';
import { KeyArg } from '../../../shared/idempotency/key-field.js';
import { runOnce } from '../../../shared/idempotency/run-once.js';
import { Money, money } from '../../../shared/money.js';
import { Allow } from '../../../shared/rights/rights.js';
import type { OrderContext } from '../../context.js';
import { ShopOrder } from '../../order/shop-order.js';
import type { RowKey } from '../../row-key.js';
import { PaymentDisputed } from '../dispute/payment-disputed.js';
import { loadPayments } from '../state/load-payments.js';
import { Refund, RefundConnection } from '../state/refund.js';
import { RefundFailureReason, shownFailureOf } from '../state/refund-failure.js';
import { isLiveRefund } from '../state/status.js';
import {
  RefundShopOrderInput,
  RefundShopOrderResult,
  RefundTooHigh,
  refundShopOrder,
} from './refund-shop-order.js';
import { RefundNotRetryable, RetryRefundResult, retryRefund } from './retry-refund.js';

@Resolver(() => Refund)
export class RefundResolver {
  @Allow('shop-owner')
  @Mutation(() => RefundShopOrderResult, {
    description:
      'Refunds units or an amount of a paid shop order, shipped or not. Units are not cancelled by it: see `cancelShopOrder`.',
  })
  refundShopOrder(
    @Arg('input', () => RefundShopOrderInput) input: RefundShopOrderInput,
    @Ctx() context: OrderContext,
  ) {
    const results = [Refund, RefundTooHigh, PaymentDisputed];
    const mutation = { operation: 'refundShopOrder', input, results };
    return runOnce(context, mutation, (once) => refundShopOrder(context, input, once));
  }

  @Allow('admin')
  @Mutation(() => RetryRefundResult, {
    description:
      'Sends a failed refund to the provider again. For admins. It is CANCELLED instead, if the customer has the money by now.',
  })
  retryRefund(
    @Arg('id', () => UUID, { description: 'Id of the refund.' }) id: string,
    @Ctx() context: OrderContext,
    @KeyArg() idempotencyKey?: string,
  ) {
    const results = [Refund, RefundNotRetryable];
    const mutation = { operation: 'retryRefund', input: { id, idempotencyKey }, results };
    return runOnce(context, mutation, (once) => retryRefund(context, id, once));
  }

  @Allow('parent')
  @FieldResolver(() => RefundFailureReason, {
    nullable: true,
    description: 'Why the money was not returned; null unless it is FAILED.',
  })
  failureReason(@Root() { failureReason: code }: Refund): RefundFailureReason | null {
    return code && shownFailureOf(code);
  }

  @Allow('parent')
  @FieldResolver(() => String, {
    nullable: true,
    description: 'The provider’s code of the failure. Null for others than admins.',
  })
  failureCode(@Root() { failureReason }: Refund, @Ctx() context: OrderContext): string | null {
    return identityOf(context).role === 'ADMIN' ? failureReason : null;
  }

  @Allow('parent')
  @FieldResolver(() => Money, { description: 'Amount refunded.' })
  async amount(@Root() refund: Refund, @Ctx() context: OrderContext): Promise<Money> {
    const { customerId, paymentId: id } = refund;
    const payment = await loaderOf(context, loadPayments).load({ customerId, id });
    return money(refund.amountValue, payment?.currencyCode ?? currencyDefault);
  }
}

const loadRefunds = uncached(loadPagesBy(Refund, 'shopOrderId', 'asc', { shard: 'customerId' }));

/** The refunds of shop orders that have not failed and were not cancelled. */
const loadRefunded: BatchLoad<RowKey, Money, Pick<OrderContext, 'em'>> = async (keys, { em }) => {
  const rows = await sql<{ id: string; amount: string; currencyCode: string }>(
    em,
    `select s.id, o.currency_code as "currencyCode",
       (select coalesce(sum(amount), 0) from refund
        where customer_id = s.customer_id and shop_order_id = s.id
          and ${isLiveRefund('status')}) as amount
     from unnest($1::uuid[], $2::uuid[]) as wanted (customer_id, id)
       join shop_order s on s.customer_id = wanted.customer_id and s.id = wanted.id
       join customer_order o on o.customer_id = s.customer_id and o.id = s.order_id`,
    [keys.map(({ customerId }) => customerId), keys.map(({ id }) => id)],
  );
  const refunded = new Map(
    rows.map(({ id, amount, currencyCode }) => [id, money(amount, currencyCode)]),
  );
  return keys.map(({ id }) => refunded.get(id) as Money);
};
const loadRefundedNow = uncached(loadRefunded);

@Resolver(() => ShopOrder)
export class ShopOrderRefundsResolver {
  @Allow('own', 'shop-owner')
  @FieldResolver(() => Money, {
    description:
      'Sum of its refunds, including those on their way, excluding failed and cancelled ones.',
  })
  refunded(@Root() shopOrder: ShopOrder, @Ctx() context: OrderContext): Promise<Money> {
    return loaderOf(context, loadRefundedNow).load(shopOrder);
  }

  @Allow('own', 'shop-owner')
  @FieldResolver(() => RefundConnection, { description: 'Refunds, oldest first.' })
  refunds(
    @Root() shopOrder: ShopOrder,
    @Ctx() context: OrderContext,
    @Args(() => PageArgs) page: PageArgs,
  ) {
    return loaderOf(context, loadRefunds).load(
      pageInShard(shopOrder.customerId, shopOrder.id, page),
    );
  }
}
