import type { EntityClass } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { firstOfEach } from '../../../shared/batching/first-of-each.js';
import { columnsOf } from '../../../shared/database/columns.js';
import { namedParameters } from '../../../shared/database/named-parameters.js';
import { sqlPrepared } from '../../../shared/database/sql.js';
import { statement } from '../../../shared/database/statement.js';
import { newId } from '../../../shared/ids.js';
import { Order } from '../../order/order.js';
import { markChanged } from '../../order/order-signals.js';
import { orderTransitions, shopOrderTransitions } from '../../order/status.js';
import { orderChangeCtes } from '../../order/transitions/change-orders.js';
import { assertTransition } from '../../state-machine.js';
import { paymentChangeColumns, paymentChangeCtes, toPaymentRow } from './change-payments.js';
import { Payment } from './payment.js';

export interface PaidOrder {
  readonly payment: Payment;
  readonly order: Order;
}

/**
 * Confirms the orders of captured payments: each payment becomes COMPLETED and its order CONFIRMED, in one
 * statement, by the SQL of `changePayments` and `changeOrders`. A payment whose order is not pending, or that
 * is no longer AUTHORIZED, is left as it is.
 *
 * @returns each payment and its order afterwards; null for one that was left as it is
 */
export async function confirmPaid(
  em: EntityManager,
  payments: readonly Payment[],
): Promise<(PaidOrder | null)[]> {
  assertTransition(orderTransitions, 'PENDING', 'CONFIRMED');
  assertTransition(shopOrderTransitions, 'PENDING', 'CONFIRMED');
  const firsts = firstOfEach(payments, ({ id }) => id);
  const change = firsts.map((payment) => ({
    ...toPaymentRow({ payment, to: 'COMPLETED' }),
    order_id: payment.orderId,
    order_event_id: newId(),
  }));
  const rows = await sqlPrepared<Record<string, unknown>>(
    em,
    confirmPaidSql(em),
    parameters.values({ change }),
  );
  const confirmed = new Map(rows.map((row) => [row.p_id, toPaidOrder(em, row)]));
  for (const { order } of confirmed.values()) markChanged(em, order.id);
  return payments.map((payment) =>
    firsts.includes(payment) ? (confirmed.get(payment.id) ?? null) : null,
  );
}

const parameters = namedParameters({
  change: { ...paymentChangeColumns, order_id: 'uuid', order_event_id: 'uuid' },
});

const orderChanges = `(select p.customer_id, p.order_id as id, order_event_id as event_id,
    'CONFIRMED' as to_status, false as unless_held, 'CONFIRMED' as event_type,
    'payments' as actor, null as reason, null::timestamptz as expires_at, null::uuid as user_id,
    null as operation, null as key, null::jsonb as outcome
  from changed_payment p join request using (customer_id, id)) as confirmed`;

/** Payments are locked before orders (locks.ts); then neither changes without the other. */
const orderIsPending = {
  ctes: `pending_order as materialized (
    select o.customer_id, o.id from customer_order o
      join request on o.customer_id = request.customer_id and o.id = request.order_id
      join locked_payment on locked_payment.customer_id = request.customer_id
        and locked_payment.id = request.id
    where o.status = 'PENDING' order by o.id for no key update of o
  )`,
  condition:
    'exists (select from pending_order o where o.customer_id = p.customer_id and o.id = p.order_id)',
};

const names = new Map<EntityClass<object>, string[]>();

function namesOf(em: EntityManager, entity: EntityClass<object>): string[] {
  const known = names.get(entity) ?? columnsOf(em, entity).split(', ');
  names.set(entity, known);
  return known;
}

/** The columns of both, each with its own prefix. */
const bothColumns = (em: EntityManager) =>
  [
    ...namesOf(em, Payment).map((column) => `p.${column} as p_${column}`),
    ...namesOf(em, Order).map((column) => `o.${column} as o_${column}`),
  ].join(', ');

const confirmPaidSql = statement(
  (em) => `
  with request as (
    select * from ${parameters.sql.change}
  ), ${paymentChangeCtes('request', orderIsPending)}, ${orderChangeCtes(orderChanges, { CONFIRMED: true })}
  select ${bothColumns(em)} from changed_payment p
    join changed_order o on o.customer_id = p.customer_id and o.id = p.order_id`,
);

function toPaidOrder(em: EntityManager, row: Readonly<Record<string, unknown>>): PaidOrder {
  const part = (entity: EntityClass<object>, prefix: string) =>
    Object.fromEntries(namesOf(em, entity).map((column) => [column, row[prefix + column]]));
  return {
    payment: em.map(Payment, part(Payment, 'p_') as never),
    order: em.map(Order, part(Order, 'o_') as never),
  };
}
