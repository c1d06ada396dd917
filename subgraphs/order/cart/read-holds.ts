import type { EntityManager } from '@mikro-orm/postgresql';
import { sqlPrepared } from '../../shared/database/sql.js';
import { expiredOrdersMax } from '../sale-limit/count-sale-units.js';

/** What a customer holds unpaid, and where holds expired too often. */
export interface Holds {
  readonly openOrders: number;
  /** by offer */
  readonly openUnits: Readonly<Record<string, number>>;
  /** offers in sales of which `expiredOrdersMax` holds expired */
  readonly expired: readonly { readonly offerId: string; readonly saleId: string }[];
}

/** By primary keys. @param saleIds where holds may have expired */
export async function readHolds(
  em: EntityManager,
  customerId: string,
  saleIds: readonly string[],
): Promise<Holds> {
  const [holds] = await sqlPrepared<Holds>(
    em,
    `select coalesce(h.open_orders, 0) as "openOrders", coalesce(h.open_units, '{}') as "openUnits",
       coalesce((
         select jsonb_agg(jsonb_build_object('offerId', p.offer_id, 'saleId', p.sale_id))
         from sale_purchase p
         where p.customer_id = $1 and p.sale_id = any($2::uuid[])
           and p.expired_orders >= ${expiredOrdersMax}), '[]') as expired
     from (values ($1::uuid)) as c (customer_id) left join customer_hold h using (customer_id)`,
    [customerId, saleIds],
  );
  return holds as Holds;
}
