import { Arg, Args, Ctx, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql';
import { identityOf } from '../../shared/auth/callers.js';
import { currencyDefault } from '../../shared/currencies.js';
import { PageArgs } from '../../shared/graphql/connection.js';
import { loaderOf } from '../../shared/graphql/context.js';
import { ListMax } from '../../shared/graphql/list-max.js';
import { loadAllInShards, uncached } from '../../shared/graphql/load.js';
import { loadPagesBy, pageInShard } from '../../shared/graphql/load-pages.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Money, money } from '../../shared/money.js';
import { Allow, owns } from '../../shared/rights/rights.js';
import type { OrderContext } from '../context.js';
import type { RowLookup } from '../load-rows.js';
import { Order } from '../order/order.js';
import { findOwnOrder, lookupOf, requireCustomer } from '../order/visible-orders.js';
import { orderKeyOf } from '../row-key.js';
import { PayOrderInput, PayOrderResult, payOrder } from './pay-order.js';
import type { PaymentContext } from './payment-app.js';
import { Dispute } from './state/dispute.js';
import { loadPayments } from './state/load-payments.js';
import { Payment, PaymentConnection } from './state/payment.js';
import { Refund } from './state/refund.js';

const refundsMax = 100;
const loadRefunds = uncached(loadPagesBy(Refund, 'paymentId', 'desc', { shard: 'customerId' }));
/** A payment has one, rarely more. */
const disputesMax = 20;

/** The payment, if it is the user's or the user is an admin; null otherwise. */
export async function findOwnPayment(
  context: OrderContext,
  key: RowLookup,
): Promise<Payment | null> {
  const payment = await loaderOf(context, loadPayments).load(key);
  return owns(context, payment?.customerId) ? payment : null;
}

/** What the merchant knows of a dispute is not for the customer who made it. */
const isAdmin = (context: OrderContext) => identityOf(context).role === 'ADMIN';

const loadDisputes = loadAllInShards(Dispute, 'customerId', 'paymentId', { id: 'asc' });

@Resolver(() => Dispute)
export class DisputeResolver {
  @Allow('parent')
  @FieldResolver(() => Money, { description: 'Amount that the customer objects to.' })
  async amount(@Root() dispute: Dispute, @Ctx() context: OrderContext): Promise<Money> {
    const { customerId, paymentId: id } = dispute;
    const payment = await loaderOf(context, loadPayments).load({ customerId, id });
    return money(dispute.amountValue, payment?.currencyCode ?? currencyDefault);
  }

  @Allow('parent')
  @FieldResolver(() => Date, {
    nullable: true,
    description: 'Time until which the provider accepts evidence. Null for others than admins.',
  })
  evidenceDueAt(@Root() dispute: Dispute, @Ctx() context: OrderContext): Date | null {
    return isAdmin(context) ? dispute.evidenceDueAt : null;
  }

  @Allow('parent')
  @FieldResolver(() => Boolean, {
    nullable: true,
    description: 'Whether the provider withdrew the amount. Null for others than admins.',
  })
  fundsWithdrawn(@Root() dispute: Dispute, @Ctx() context: OrderContext): boolean | null {
    return isAdmin(context) ? dispute.fundsWithdrawn : null;
  }

  @Allow('parent')
  @FieldResolver(() => Boolean, {
    nullable: true,
    description: 'Whether the provider paid the amount back. Null for others than admins.',
  })
  fundsReinstated(@Root() dispute: Dispute, @Ctx() context: OrderContext): boolean | null {
    return isAdmin(context) ? dispute.fundsReinstated : null;
  }
}

@Resolver(() => Payment)
export class PaymentResolver {
  @Allow('own')
  @Query(() => Payment, { nullable: true, description: 'A payment of the signed-in customer.' })
  payment(
    @Arg('id', () => UUID, { description: 'Id of the payment.' }) id: string,
    @Ctx() context: OrderContext,
  ) {
    return findOwnPayment(context, lookupOf(context, id));
  }

  @Allow('own')
  @Mutation(() => PayOrderResult, { description: 'Pays an order of the signed-in customer.' })
  payOrder(
    @Arg('input', () => PayOrderInput) input: PayOrderInput,
    @Ctx() context: PaymentContext,
  ) {
    return payOrder(context, input);
  }

  @Allow('own')
  @FieldResolver(() => Order, { description: 'The order that it is for.' })
  order(@Root() payment: Payment, @Ctx() context: OrderContext) {
    return findOwnOrder(context, orderKeyOf(payment));
  }

  @Allow('own')
  @ListMax(refundsMax)
  @FieldResolver(() => [Refund], {
    description: `Refunds of this payment, pending ones included, oldest first; the newest ${refundsMax}. Those of a shop order are in \`ShopOrder.refunds\`.`,
  })
  async refunds(@Root() payment: Payment, @Ctx() context: OrderContext): Promise<Refund[]> {
    const page = pageInShard(payment.customerId, payment.id, { first: refundsMax });
    const { edges } = await loaderOf(context, loadRefunds).load(page);
    return edges.map(({ node }) => node).toReversed();
  }

  @Allow('own')
  @ListMax(disputesMax)
  @FieldResolver(() => [Dispute], {
    description: `Disputes of this payment; the oldest ${disputesMax}.`,
  })
  async disputes(@Root() payment: Payment, @Ctx() context: OrderContext): Promise<Dispute[]> {
    return (await loaderOf(context, loadDisputes).load(payment)).slice(0, disputesMax);
  }

  @Allow('own')
  @FieldResolver(() => Money, { description: 'Amount of the payment.' })
  amount(@Root() payment: Payment): Money {
    return money(payment.amountValue, payment.currencyCode);
  }
}

const loadPaymentsOf = uncached(loadPagesBy(Payment, 'orderId', 'asc', { shard: 'customerId' }));

@Resolver(() => Order)
export class OrderPaymentsResolver {
  @Allow('own')
  @FieldResolver(() => PaymentConnection, {
    description: 'Payments, one for each attempt, oldest first.',
  })
  payments(
    @Root() order: Order,
    @Ctx() context: OrderContext,
    @Args(() => PageArgs) page: PageArgs,
  ) {
    requireCustomer(context, order, 'payment of order');
    return loaderOf(context, loadPaymentsOf).load(pageInShard(order.customerId, order.id, page));
  }
}
