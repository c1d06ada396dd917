import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../shared/database/sql.js';

/** Ages in seconds of the oldest rows that the system should have processed; 0 if there are none. */
const ages = {
  holdfast_order_overdue_seconds: {
    help: 'Seconds since the expiry of the oldest order that is still PENDING; 0 if there is none.',
    from: `min(expires_at) from customer_order where status = 'PENDING'`,
  },
  holdfast_payment_oldest_seconds: {
    help: 'Age in seconds of the oldest payment with a step left to do; 0 if there is none.',
    from: 'min(created_at) from payment where next_attempt_at is not null',
  },
  holdfast_refund_oldest_seconds: {
    help: 'Age in seconds of the oldest refund that the provider has not confirmed; 0 if there is none.',
    from: `min(created_at) from refund where status = 'PENDING'`,
  },
};

/** Gauges of the ages of orders, payments and refunds that are stuck. */
export const orderGauges = Object.entries(ages).map(([name, { help, from }]) => ({
  name,
  help,
  async read({ em }: { readonly em: EntityManager }): Promise<number> {
    const [row] = await sql<{ age: string }>(
      em,
      `select greatest(0, coalesce(extract(epoch from now() - oldest), 0)) as age
       from (select ${from}) as waiting (oldest)`,
    );
    return Number(row?.age);
  },
}));
