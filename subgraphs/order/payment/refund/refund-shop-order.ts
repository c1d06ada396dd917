import type { EntityManager } from '@mikro-orm/postgresql';
import Big from 'big.js';
import { ArrayMaxSize, ArrayMinSize, IsOptional, ValidateNested } from 'class-validator';
import { createUnionType, Field, InputType, ObjectType } from 'type-graphql';
import { identityOf } from '../../../shared/auth/callers.js';
import { findAmountProblem } from '../../../shared/currencies.js';
import { sql } from '../../../shared/database/sql.js';
import { type Once, transact } from '../../../shared/database/transact.js';
import { badInput } from '../../../shared/errors.js';
import { Refusal, result } from '../../../shared/graphql/refusal.js';
import { Decimal, UUID } from '../../../shared/graphql/scalars.js';
import { Amount, OneLine } from '../../../shared/graphql/validation.js';
import { RequiredKeyField } from '../../../shared/idempotency/key-field.js';
import { amountText, lower, Money, money, priceOf } from '../../../shared/money.js';
import { Allow } from '../../../shared/rights/rights.js';
import type { OrderContext } from '../../context.js';
import { lockOrder, lockPayment } from '../../locks.js';
import { itemsMax } from '../../order/shop-order.js';
import { findLines, ShopOrderLineInput } from '../../order/shop-order-line-input.js';
import { raiseVersion } from '../../order/transitions/raise-version.js';
import { requireShopOrderOfOwnShop } from '../../order/visible-orders.js';
import { orderKeyOf, type RowKey } from '../../row-key.js';
import { findPaymentDisputed, PaymentDisputed } from '../dispute/payment-disputed.js';
import { findPaidPayment } from '../state/find-paid.js';
import { Refund } from '../state/refund.js';
import { readRefundedUnits } from '../state/refunded-units.js';
import { requireRoomForRefund } from '../state/refunds-max.js';
import { readRequestable, requestRefunds, type UnitsOfLine } from '../state/request-refunds.js';

// As many as the column has.
const amountDigitsMax = 12;

@InputType({ description: 'A refund of a shop order: either of lines or of an amount.' })
export class RefundShopOrderInput {
  @Field(() => UUID, { description: 'Id of the shop order.' })
  shopOrderId!: string;

  @Field(() => [ShopOrderLineInput], {
    nullable: true,
    description: 'The units whose price is returned, 1 to 100 lines. No unit is cancelled by it.',
  })
  @IsOptional()
  @ArrayMinSize(1)
  @ArrayMaxSize(itemsMax)
  @ValidateNested({ each: true })
  lines?: ShopOrderLineInput[] | null;

  @Field(() => Decimal, {
    nullable: true,
    description: 'The amount that is returned, in the currency of the order, more than 0.',
  })
  @IsOptional()
  @Amount(amountDigitsMax)
  amount?: string | null;

  @Field(() => String, {
    description: 'Why, as the customer and the history of the order show it; 1 to 200 characters.',
  })
  @OneLine(200)
  reason!: string;

  @RequiredKeyField()
  idempotencyKey!: string;
}

@Allow('parent')
@ObjectType({
  implements: Refusal,
  description: 'More than can still be refunded of the shop order. Nothing is refunded.',
})
export class RefundTooHigh extends Refusal {
  @Field(() => Money, {
    description:
      'What can be refunded: what was captured for it without what was refunded, or what is left of the whole payment if that is less.',
  })
  refundable!: Money;
}

export const RefundShopOrderResult = createUnionType({
  name: 'RefundShopOrderResult',
  description: 'The refund, which a worker sends, or why there is none.',
  types: () => [Refund, RefundTooHigh, PaymentDisputed] as const,
});

interface OrderItemRow {
  readonly itemId: string;
  readonly sku: string;
  readonly unitPrice: string;
  readonly quantity: number;
}

const advice = {
  OPEN: 'Wait until the dispute is decided, and use a new idempotency key.',
  LOST: 'A refund that is still due has to be made at the payment provider.',
};

/**
 * Requests a refund of a paid shop order, before or after it is shipped: the price of units of its lines, or an
 * amount. Lines and amounts together never exceed what was captured for the shop order, and the price of a unit
 * is refunded once.
 *
 * @throws `NOT_FOUND`; `FORBIDDEN` if the shop is not the user’s; `BAD_USER_INPUT` for a line that is not in the
 *   shop order, lines that are free, an amount that the currency cannot express, or too many refunds
 */
export async function refundShopOrder(
  context: OrderContext,
  input: RefundShopOrderInput,
  once?: Once<typeof RefundShopOrderResult>,
): Promise<typeof RefundShopOrderResult> {
  requireLinesOrAmount(input);
  const { id: actor } = identityOf(context);
  const shopOrder = await requireShopOrderOfOwnShop(context, input.shopOrderId);
  const { customerId, id: shopOrderId } = shopOrder;
  const order = orderKeyOf(shopOrder);
  const work = async (em: EntityManager): Promise<typeof RefundShopOrderResult> => {
    const items = await readItems(em, shopOrder);
    const currencyCode = (items[0] as (typeof items)[0]).currencyCode;
    const amount = input.lines ? priceOfLines(items, input.lines) : (input.amount as string);
    requireRefundable(amount, currencyCode, input.lines ? 'input.lines' : 'input.amount');
    await lockOrder(em, order);
    const payment = await findPaidPayment(em, order);
    if (!payment) return tooHigh('The shop order was not paid.', '0', currencyCode);
    await lockPayment(em, payment);
    const disputed = await findPaymentDisputed(em, order, advice);
    if (disputed) return disputed;
    await requireRoomForRefund(em, shopOrder, 'input.shopOrderId');
    const request = { shopOrderId, amount, reason: input.reason, actor, lines: input.lines ?? [] };
    const refusal = await findTooHigh(em, payment, request, items);
    if (refusal) return refusal;
    const [id] = await requestRefunds(em, payment, [request]);
    await raiseVersion(em, order);
    return em.findOneOrFail(Refund, { customerId, id: id as string });
  };
  return transact(context.em, work, once);
}

function requireLinesOrAmount({ lines, amount }: RefundShopOrderInput): void {
  if (Boolean(lines) !== Boolean(amount)) return;
  const problem = lines
    ? 'is not possible together with `lines`'
    : 'is required, unless there are `lines`';
  throw badInput({ 'input.amount': problem });
}

/** @throws `BAD_USER_INPUT` for 0, and for an amount that the currency cannot express */
function requireRefundable(amount: string, currencyCode: string, place: string): void {
  const problem = new Big(amount).eq(0)
    ? `is 0 ${currencyCode}; only more than 0 can be refunded`
    : findAmountProblem(amount, currencyCode);
  if (problem) throw badInput({ [place]: problem });
}

function priceOfLines(
  items: readonly OrderItemRow[],
  lines: readonly ShopOrderLineInput[],
): string {
  const found = findLines(lines, items);
  return priceOf(found.map(({ line: { unitPrice }, quantity }) => ({ unitPrice, quantity })));
}

interface Asked {
  readonly shopOrderId: string;
  readonly amount: string;
  readonly lines: readonly UnitsOfLine[];
}

/** In a transaction that holds the lock of the payment. */
async function findTooHigh(
  em: EntityManager,
  payment: RowKey,
  asked: Asked,
  items: readonly OrderItemRow[],
): Promise<RefundTooHigh | null> {
  const { amount, currencyCode, ofShopOrders } = await readRequestable(em, payment, [asked]);
  const left = [amount, ofShopOrders[asked.shopOrderId] ?? '0'].map((each) => new Big(each));
  const refundable = left.reduce(lower).toFixed();
  const refunded = await readRefundedUnits(
    em,
    payment.customerId,
    asked.lines.map(({ itemId }) => itemId),
  );
  for (const { itemId, quantity } of asked.lines) {
    const { quantity: ordered, sku } = items.find((each) => each.itemId === itemId) as OrderItemRow;
    const before = refunded.get(itemId) ?? 0;
    if (before + quantity <= ordered) continue;
    const message = `${before} of ${ordered} units of ${sku} were already refunded; ${quantity} more cannot be.`;
    return tooHigh(message, refundable, currencyCode);
  }
  if (new Big(asked.amount).lte(refundable)) return null;
  const message = `${amountText(asked.amount, currencyCode)} is more than the ${amountText(refundable, currencyCode)} that can still be refunded.`;
  return tooHigh(message, refundable, currencyCode);
}

const tooHigh = (message: string, refundable: string, currencyCode: string) =>
  result(RefundTooHigh, { message, refundable: money(refundable, currencyCode) });

const readItems = (em: EntityManager, { customerId, id }: RowKey) =>
  sql<OrderItemRow & { readonly currencyCode: string }>(
    em,
    `select id as "itemId", sku, unit_price_amount as "unitPrice", quantity,
       currency_code as "currencyCode"
     from order_item where customer_id = $1 and shop_order_id = $2 order by id`,
    [customerId, id],
  );
