import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../../shared/database/sql.js';
import type { SaleReads } from '../read-sales.js';

interface Reader {
  readonly em: EntityManager;
  readonly app: { readonly saleReads: SaleReads };
}

/** Of smaller sales a single order is a large share. */
const allocatedMin = 100;
const salesMax = 20;

export const saleGauges = [
  {
    name: 'holdfast_sale_largest_account_ratio',
    help: 'Largest share of the units of a sale that one account holds or has paid for, 0 to 1: of sales of 100 units or more, by accounts with an order in the last hour.',
    async read({ em, app }: Reader): Promise<number> {
      const largest = await sql<{ saleId: string; units: number }>(em, largestSql);
      const stock = await app.saleReads.stock(largest.map(({ saleId }) => saleId));
      const shares = largest.map(({ saleId, units }) => {
        const allocated = (stock.get(saleId) ?? []).reduce((sum, line) => sum + line.allocated, 0);
        return allocated >= allocatedMin ? units / allocated : 0;
      });
      return Math.max(0, ...shares);
    },
  },
];

// By sale_purchase_updated_at, then all rows of these accounts by the primary key.
const largestSql = `
  with recent as materialized (
    select distinct customer_id, sale_id from sale_purchase
    where updated_at > now() - interval '1 hour'
  ), account as (
    select p.sale_id, p.customer_id, sum(p.units) as units
    from recent join sale_purchase p using (customer_id, sale_id) group by 1, 2
  )
  select sale_id as "saleId", max(units)::int as units from account
  group by sale_id order by units desc limit ${salesMax}`;
