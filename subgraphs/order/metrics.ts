import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../shared/database/sql.js';
import { oldestJobSeconds } from '../shared/runtime/due-jobs.js';
import { paymentJobs } from './payment/recover-payments.js';
import { refundJobs } from './payment/send-refunds.js';

interface Reader {
  readonly em: EntityManager;
}

/**
 * Ages in seconds of the oldest rows that the system should have processed, 0 if there are none; and what
 * is used up of the sequences.
 */
export const orderGauges = [
  {
    name: 'holdfast_order_overdue_seconds',
    help: 'Seconds since the expiry of the oldest order that is still PENDING; 0 if there is none.',
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
    help: 'Age in seconds of the oldest payment with a step left to do; 0 if there is none.',
    read: ({ em }: Reader) => oldestJobSeconds(em, paymentJobs),
  },
  {
    name: 'holdfast_refund_oldest_seconds',
    help: 'Age in seconds of the oldest refund that the provider has not confirmed; 0 if there is none.',
    read: ({ em }: Reader) => oldestJobSeconds(em, refundJobs),
  },
  {
    name: 'holdfast_sequence_used_ratio',
    help: 'Share of the values of a sequence that are used up, 0 to 1.',
    label: 'sequence',
    async read({ em }: Reader): Promise<Record<string, number>> {
      const rows = await sql<{ name: string; used: number }>(
        em,
        `select sequencename as name, coalesce(last_value, 0)::float8 / max_value as used
         from pg_sequences where schemaname = current_schema()`,
      );
      return Object.fromEntries(rows.map(({ name, used }) => [name, used]));
    },
  },
];
