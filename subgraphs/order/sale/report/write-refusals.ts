import type { EntityManager } from '@mikro-orm/postgresql';
import { noSale } from '../../../contracts/sale.js';
import { namedParameters } from '../../../shared/database/named-parameters.js';
import { sqlPrepared } from '../../../shared/database/sql.js';

export interface RefusalRow {
  readonly sale_id: string;
  readonly minute: Date;
  readonly kind: string;
  readonly shop_id: string;
  readonly count: number;
}

const parameters = namedParameters({
  added: { sale_id: 'uuid', minute: 'timestamptz', kind: 'text', shop_id: 'uuid', count: 'int' },
});

// In the order of the key, so that two processes lock rows in the same order.
const addSql = `
  insert into sale_refusal (sale_id, minute, kind, shop_id, count)
  select sale_id, minute, kind, shop_id, sum(count) from ${parameters.sql.added}
  group by sale_id, minute, kind, shop_id order by sale_id, minute, kind, shop_id
  on conflict (sale_id, minute, kind, shop_id) do update set count = sale_refusal.count + excluded.count`;

export async function addCounts(em: EntityManager, added: readonly RefusalRow[]): Promise<void> {
  if (added.length > 0) await sqlPrepared(em, addSql, parameters.values({ added }));
}

interface CartSaleLine {
  readonly customerId: string;
  readonly offerId: string;
  readonly saleId: string;
}

/** The lines of sales in the carts of customers. */
export const readSaleLines = (em: EntityManager, customerIds: readonly string[]) =>
  sqlPrepared<CartSaleLine>(
    em,
    `select customer_id as "customerId", offer_id as "offerId", sale_id as "saleId" from cart_item
     where customer_id = any($1::uuid[]) and sale_id <> '${noSale}'`,
    [customerIds],
  );
