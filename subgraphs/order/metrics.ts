import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../shared/database/sql.js';
import { oldestJobSeconds } from '../shared/runtime/due-jobs.js';
import type { OrderApp } from './context.js';
import { paymentQueue } from './payment/recover-payments.js';
import { refundQueue } from './payment/refund/send-refunds.js';
import { isWaitingSql } from './waiting-orders.js';

interface Reader {
  readonly em: EntityManager;
}
interface ProviderReader extends Reader {
  readonly app: Pick<OrderApp, 'providers' | 'providerChecks'>;
}

const unsettled = `status not in ('COMPLETED', 'REFUNDED')`;
const unsent = `status = 'PENDING' and not exists (select from dispute d
  where d.customer_id = refund.customer_id and d.payment_id = refund.payment_id and d.status = 'OPEN')`;

/** @param rows SQL for the rows: a table and a condition */
async function count(em: EntityManager, rows: string): Promise<number> {
  const [row] = await sql<{ count: number }>(em, `select count(*)::int as count from ${rows}`);
  return row?.count ?? 0;
}

/**
 * Ages in seconds of the oldest rows that the system should have processed, 0 if there are none; what a
 * person has to look at; and what is used up of the sequences.
 */
export const orderGauges = [
  {
    name: 'holdfast_order_overdue_seconds',
    help: 'Seconds since the expiry of the oldest order that is still PENDING; 0 if there is none.',
    async read({ em }: Reader): Promise<number> {
      const [row] = await sql<{ age: string }>(
        em,
        `select greatest(0, coalesce(extract(epoch from now() - min(expires_at)), 0)) as age
         from customer_order where ${isWaitingSql}`,
      );
      return Number(row?.age);
    },
  },
  {
    name: 'holdfast_payment_oldest_seconds',
    help: 'Age in seconds of the oldest payment that is not captured and has a step left to do; 0 if there is none.',
    read: ({ em }: Reader) => oldestJobSeconds(em, paymentQueue, unsettled),
  },
  {
    name: 'holdfast_payments_unread',
    help: 'Captured payments whose refunds and disputes could not be read at the provider in 8 attempts.',
    read: ({ em }: Reader) =>
      count(
        em,
        `payment where next_attempt_at is not null and status in ('COMPLETED', 'REFUNDED')
         and attempts >= 8`,
      ),
  },
  {
    name: 'holdfast_refund_oldest_seconds',
    help: 'Age in seconds of the oldest refund that is PENDING, without those that wait for a dispute, or SENT; 0 if there is none.',
    label: 'status',
    async read({ em }: Reader): Promise<Record<string, number>> {
      const [PENDING, SENT] = await Promise.all([
        oldestJobSeconds(em, refundQueue, unsent),
        oldestJobSeconds(em, refundQueue, `status = 'SENT'`),
      ]);
      return { PENDING, SENT };
    },
  },
  {
    name: 'holdfast_refunds_failed',
    help: 'Refunds that are FAILED: the customer waits for the money.',
    read: ({ em }: Reader) => count(em, `refund where status = 'FAILED'`),
  },
  {
    name: 'holdfast_refunds_at_provider',
    help: 'Refunds of the last 24 hours that a person made at the provider.',
    read: ({ em }: Reader) =>
      count(em, `refund where origin = 'DASHBOARD' and created_at > now() - interval '1 day'`),
  },
  {
    name: 'holdfast_disputes_open',
    help: 'Disputes that are OPEN: evidence is due.',
    read: ({ em }: Reader) => count(em, `dispute where status = 'OPEN'`),
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

/** Whether the days before agree with the payment provider, as far as they were compared. */
export const reconciliationGauges = [
  {
    name: 'holdfast_reconciliation_differences',
    help: 'Differences from the provider that the reconciliations of the last 24 hours found.',
    async read({ em }: Reader): Promise<number> {
      const [row] = await sql<{ differences: number }>(
        em,
        `select coalesce(sum(differences), 0)::float8 as differences from reconciliation
         where finished_at > now() - interval '24 hours'`,
      );
      return Number(row?.differences);
    },
  },
  {
    name: 'holdfast_reconciliation_age_seconds',
    help: 'Seconds since the last finished reconciliation with a configured provider, or since the first was due; 0 if none was.',
    label: 'provider',
    async read({ em, app }: ProviderReader): Promise<Record<string, number>> {
      const values = [app.providers.names];
      const rows = await sql<{ name: string; age: number }>(em, reconciliationAgeSql, values);
      return Object.fromEntries(rows.map(({ name, age }) => [name, age]));
    },
  },
];

// The first is due at 01:00 UTC of the day after the first payment. payment by its id, which begins with
// its time.
const reconciliationAgeSql = `
  select p.name, greatest(0, coalesce(extract(epoch from now() - coalesce(
    (select max(finished_at) from reconciliation r where r.provider = p.name),
    (select date_trunc('day', created_at, 'UTC') + interval '25 hours'
     from payment order by id limit 1))), 0))::float8 as age
  from unnest($1::text[]) as p (name)`;

/** Whether each payment has a provider that can end it. */
export const providerGauges = [
  {
    name: 'holdfast_payment_provider_checked',
    help: '1 if the account of a configured payment provider was checked and suits the configuration, else 0.',
    label: 'provider',
    read: ({ app }: ProviderReader) => app.providerChecks.results(),
  },
  {
    name: 'holdfast_payments_without_provider',
    help: 'Payments and refunds with something left to do whose payment provider is not configured.',
    async read({ em, app }: ProviderReader): Promise<number> {
      const values = [app.providers.names];
      const [row] = await sql<{ count: number }>(em, withoutProviderSql, values);
      return row?.count ?? 0;
    },
  },
];

// payment_due and refund_due.
const withoutProviderSql = `
  select (
    (select count(*) from payment where next_attempt_at is not null and provider <> all($1)) +
    (select count(*) from refund r join payment p on p.customer_id = r.customer_id and p.id = r.payment_id
     where r.status in ('PENDING', 'SENT') and p.provider <> all($1))
  )::int as count`;
