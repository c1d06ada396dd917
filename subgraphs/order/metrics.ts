import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../shared/database/sql.js';
import { oldestJobSeconds } from '../shared/runtime/due-jobs.js';
import { paymentJobs } from './payment/recover-payments.js';
import { refundJobs } from './payment/send-refunds.js';

interface Reader {
  readonly em: EntityManager;
}

/** What has waited longest for somebody other than its customer; 0 where nothing waits. */
export const orderGauges = [
  {
    name: 'holdfast_order_overdue_seconds',
    help: 'For how long the oldest order has been PENDING though its time to be paid is up.',
    async read({ em }: Reader): Promise<number> {
      const [row] = await sql<{ age: string }>(
        em,
        `select greatest(0, coalesce(extract(epoch from now() - min(expires_at)), 0)) as age
         from customer_order where status = 'PENDING'`,
      );
      return Number(row?.age);
    },
  },
  {
    name: 'holdfast_payment_oldest_seconds',
    help: 'The age of the oldest payment with something left to do.',
    read: ({ em }: Reader) => oldestJobSeconds(em, paymentJobs),
  },
  {
    name: 'holdfast_refund_oldest_seconds',
    help: 'The age of the oldest refund that the provider has not confirmed.',
    read: ({ em }: Reader) => oldestJobSeconds(em, refundJobs),
  },
];
