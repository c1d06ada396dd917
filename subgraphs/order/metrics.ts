import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../shared/database/sql.js';

/** What has waited longest for somebody other than its customer; 0 where nothing waits. */
const ages = {
  holdfast_order_overdue_seconds: {
    help: 'For how long the oldest order has been PENDING though its time to be paid is up.',
    from: `min(expires_at) from customer_order where status = 'PENDING'`,
  },
  holdfast_payment_oldest_seconds: {
    help: 'The age of the oldest payment with something left to do.',
    from: 'min(created_at) from payment where next_attempt_at is not null',
  },
  holdfast_refund_oldest_seconds: {
    help: 'The age of the oldest refund that the provider has not confirmed.',
    from: `min(created_at) from refund where status = 'PENDING'`,
  },
};

/** What is stuck between orders, the stock and the payment provider. */
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
