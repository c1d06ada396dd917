import type { EntityManager } from '@mikro-orm/postgresql';
import Big from 'big.js';
import { amountScale } from '../../../shared/currencies.js';
import { insertRows } from '../../../shared/database/insert-rows.js';
import { sql } from '../../../shared/database/sql.js';
import { newId } from '../../../shared/ids.js';
import { amountText, lower } from '../../../shared/money.js';
import { lockPayment } from '../../locks.js';
import { recordEvents } from '../../order/order-event.js';
import { markRefundsDue } from '../../order/payment-signals.js';
import type { RowKey } from '../../row-key.js';
import { coverRefunds } from './cover-refunds.js';
import { Refund } from './refund.js';
import { RefundLine } from './refund-line.js';
import { requestableOfShopOrderSql, requestableSql } from './refundable.js';
import { replaceFailedUnits } from './refunded-units.js';

/** Units of a line of an order. */
export interface UnitsOfLine {
  readonly itemId: string;
  readonly quantity: number;
}

export interface RefundRequest {
  /** null for a payment to which nothing was sold */
  readonly shopOrderId: string | null;
  /** the greatest amount; null for all that is not refunded yet */
  readonly amount: string | null;
  /** the units whose price it is */
  readonly lines?: readonly UnitsOfLine[];
  readonly reason: string;
  /** the id of the user who requested it, if any */
  readonly actor?: string;
}

/** What can still be requested, in all and of each shop order. */
export interface Requestable {
  readonly orderId: string;
  readonly currencyCode: string;
  readonly amount: string;
  readonly ofShopOrders: Readonly<Record<string, string>>;
}

/**
 * Inserts due refunds, in the transaction of `em`; a worker sends them. The refunds of a payment never exceed
 * it, and those of a shop order never exceed its price: what is left is requested, if anything. What the
 * customer has by a dispute that was lost is set against them, so that they may be cancelled at once.
 *
 * @returns the id of the refund for each request; null if nothing was left to refund
 */
export async function requestRefunds(
  em: EntityManager,
  payment: RowKey,
  requests: readonly RefundRequest[],
): Promise<(string | null)[]> {
  await lockPayment(em, payment);
  const requestable = await readRequestable(em, payment, requests);
  const refunds = amountsOf(requests, requestable).map((amount, at) => {
    return { id: newId(), amount, request: requests[at] as RefundRequest };
  });
  const made = refunds.filter(({ amount }) => amount.gt(0));
  await insertRefunds(em, payment, made);
  const { orderId, currencyCode } = requestable;
  const events = made.map(({ amount, request: { shopOrderId, reason, actor = 'payments' } }) => ({
    ...{ customerId: payment.customerId, orderId, type: 'REFUND_REQUESTED' as const, actor },
    ...(shopOrderId && { shopOrderId }),
    reason: `${amountText(amount.toFixed(amountScale), currencyCode)}: ${reason}`,
  }));
  await recordEvents(em, events);
  if (made.length > 0) {
    await coverRefunds(em, payment);
    markRefundsDue(em, payment.id);
  }
  return refunds.map(({ id, amount }) => (amount.gt(0) ? id : null));
}

/** In a transaction that holds the lock of the payment. */
export async function readRequestable(
  em: EntityManager,
  payment: RowKey,
  of: readonly Pick<RefundRequest, 'shopOrderId'>[],
): Promise<Requestable> {
  const [requestable] = await sql<Requestable>(
    em,
    `select order_id as "orderId", currency_code as "currencyCode",
       ${requestableSql('p')}::text as amount,
       (select coalesce(jsonb_object_agg(s.id, ${requestableOfShopOrderSql('s')}::text), '{}')
        from shop_order s
        where s.customer_id = $1 and s.id = any($3::uuid[])) as "ofShopOrders"
     from payment p where p.customer_id = $1 and p.id = $2`,
    [payment.customerId, payment.id, of.flatMap(({ shopOrderId }) => shopOrderId ?? [])],
  );
  if (!requestable) throw new Error(`unknown payment ${payment.id}`);
  return requestable;
}

/** What is left for each request, after those before it. */
function amountsOf(requests: readonly RefundRequest[], requestable: Requestable): Big[] {
  let ofPayment = new Big(requestable.amount);
  const ofShopOrders = new Map(Object.entries(requestable.ofShopOrders));
  return requests.map(({ shopOrderId, amount }) => {
    const left = ofShopOrders.get(shopOrderId ?? '') ?? ofPayment;
    const refunded = [amount ?? ofPayment, left, ofPayment]
      .map((each) => new Big(each))
      .reduce(lower);
    ofPayment = ofPayment.minus(refunded);
    if (shopOrderId) ofShopOrders.set(shopOrderId, new Big(left).minus(refunded).toFixed());
    return refunded;
  });
}

interface NewRefund {
  readonly id: string;
  readonly amount: Big;
  readonly request: RefundRequest;
}

async function insertRefunds(
  em: EntityManager,
  payment: RowKey,
  refunds: readonly NewRefund[],
): Promise<void> {
  const { customerId, id: paymentId } = payment;
  const rows = refunds.map(({ id, amount, request: { shopOrderId, reason } }) => {
    const amountValue = amount.toFixed(amountScale);
    return { customerId, id, paymentId, shopOrderId, amountValue, reason };
  });
  await insertRows(em, Refund, rows);
  const lines = refunds.flatMap(({ id: refundId, request }) =>
    (request.lines ?? []).map(({ itemId, quantity }) => {
      return { customerId, refundId, orderItemId: itemId, quantity };
    }),
  );
  await replaceFailedUnits(em, customerId, lines);
  await insertRows(em, RefundLine, lines);
}
