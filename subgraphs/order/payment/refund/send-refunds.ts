import { sql } from '../../../shared/database/sql.js';
import { transact } from '../../../shared/database/transact.js';
import { failPoint } from '../../../shared/resilience/fail-point.js';
import { type DueJobs, type JobQueue, runDueJobs } from '../../../shared/runtime/due-jobs.js';
import type { OrderApp } from '../../context.js';
import { lockPayment } from '../../locks.js';
import type { RowKey } from '../../row-key.js';
import { applyProviderDisputes } from '../dispute/apply-provider-disputes.js';
import { KeyUsedUp, PermanentRefusal, type ProviderRefund } from '../provider/payment-provider.js';
import { changeRefund } from '../state/change-refunds.js';
import { coverBlockedRefunds } from '../state/cover-refunds.js';
import { isBlockingDispute, type RefundStatus } from '../state/status.js';
import { applyProviderRefunds } from './apply-provider-refunds.js';

interface DueRefund extends RowKey {
  readonly status: RefundStatus;
  readonly paymentId: string;
  readonly orderId: string;
  /** of its payment */
  readonly provider: string;
  readonly amount: string;
  readonly currencyCode: string;
  readonly transactionId: string;
  readonly attempt: number;
  readonly keysUsedUp: number;
  /** the number of times that a worker took it up, this time included */
  readonly attempts: number;
  readonly isBlocked: boolean;
}

/** @param refund the alias of a row of `refund` */
const isBlockedSql = (refund: string) => `exists (select from dispute d
  where d.customer_id = ${refund}.customer_id and d.payment_id = ${refund}.payment_id
    and ${isBlockingDispute('d.status')})`;

const newKeyPauseMs = 300_000;
/** A code of the provider; its sentences are for the log only. */
const codePattern = /^[a-z_]{1,60}$/;

/** Refunds that the provider has not ended, by the index `refund_due`. */
export const refundQueue: JobQueue = {
  table: 'refund',
  dueAt: 'next_attempt_at',
  unfinished: `status in ('PENDING', 'SENT')`,
};

/**
 * Their retries grow up to an hour: a refund may be under way for days, and a webhook reports its end.
 *
 * @param providers the names of the configured ones: refunds of others wait until theirs is configured
 */
export const refundJobs = (providers: readonly string[]): DueJobs => ({
  ...refundQueue,
  key: ['customer_id', 'id'],
  eligible: {
    sql: `exists (select from payment p where p.customer_id = refund.customer_id
      and p.id = refund.payment_id and p.provider = any($1) and p.provider_transaction_id is not null)`,
    values: [providers],
  },
  join: { table: 'payment as p', on: 'p.customer_id = job.customer_id and p.id = job.payment_id' },
  returning: `job.customer_id as "customerId", job.id, job.status, p.id as "paymentId", p.order_id as "orderId", p.provider, job.amount,
    p.currency_code as "currencyCode", p.provider_transaction_id as "transactionId", job.attempt,
    job.keys_used_up as "keysUsedUp", job.attempts, ${isBlockedSql('job')} as "isBlocked"`,
  batchMax: 16,
  retryFirstMs: 4000,
  retryMaxMs: 3_600_000,
});

/**
 * Sends the refunds that are due, and looks up those that were sent, until the provider reports their end.
 * None is sent while its payment is disputed, or after the dispute is lost.
 *
 * @returns the number of refunds tried
 */
export function sendRefunds(
  app: OrderApp,
  isStopping: () => boolean = () => false,
): Promise<number> {
  const jobs = refundJobs(app.providers.names);
  return runDueJobs<DueRefund>(app.orm.em, jobs, isStopping, (refund) =>
    advance(app, refund).catch((error) => {
      app.logger.warn({ err: error, refundId: refund.id }, 'refund is not settled; it is retried');
    }),
  );
}

async function advance(app: OrderApp, refund: DueRefund): Promise<void> {
  // The provider keeps an idempotency key for a day, but refunds permanently.
  const mayHaveBeenSent = refund.status === 'SENT' || refund.attempts > 1 || refund.attempt > 0;
  if (!mayHaveBeenSent) return refund.isBlocked ? undefined : send(app, refund);
  const known = await app.providers.of(refund.provider).refundsOf(refund.transactionId);
  const current = await apply(app, refund, known);
  // Another worker has used up the key meanwhile: the look at the provider is older than its request.
  if (current.keysUsedUp !== refund.keysUsedUp) return;
  if (current.status === 'PENDING' && !current.isBlocked)
    await send(app, { ...refund, ...current });
}

/** Each attempt has an idempotency key, so that the provider executes it once. */
async function send(app: OrderApp, refund: DueRefund): Promise<void> {
  const { id: refundId, attempt, transactionId, amount, currencyCode } = refund;
  try {
    const request = { refundId, attempt, transactionId, amount, currencyCode };
    const sent = await app.providers.of(refund.provider).refund(request);
    failPoint('refund sent, not recorded');
    if (sent.status === 'failed') await recordRefused(app, refund, sent.reason ?? 'failed');
    else await apply(app, refund, [sent]);
  } catch (error) {
    if (error instanceof PermanentRefusal) return recordRefused(app, refund, error.message);
    if (error instanceof KeyUsedUp) await replaceKey(app, refund);
    throw error;
  }
}

type RefundState = Pick<DueRefund, 'status' | 'amount' | 'attempt' | 'keysUsedUp' | 'isBlocked'>;

/** @returns the refund as it is afterwards */
function apply(
  app: OrderApp,
  refund: DueRefund,
  known: readonly ProviderRefund[],
): Promise<RefundState> {
  const payment = paymentOf(refund);
  return transact(app.orm.em, async (em) => {
    await lockPayment(em, payment);
    const atDashboard = await applyProviderRefunds(em, payment, known, app.logger);
    await coverBlockedRefunds(em, payment, atDashboard);
    const [state] = await sql<RefundState>(em, refundStateSql, [refund.customerId, refund.id]);
    return state as RefundState;
  });
}

const refundStateSql = `
  select status, amount, attempt, keys_used_up as "keysUsedUp", ${isBlockedSql('refund')} as "isBlocked"
  from refund where customer_id = $1 and id = $2`;

const paymentOf = ({ customerId, paymentId, orderId }: DueRefund) => {
  return { customerId, id: paymentId, orderId };
};

/**
 * A refund may be refused because the customer has the money already, by a dispute or a refund that is not
 * known here yet: then it is cancelled. Otherwise the customer waits for it, and a person has to see why.
 */
async function recordRefused(app: OrderApp, refund: DueRefund, reason: string): Promise<void> {
  const { customerId, id, transactionId } = refund;
  const payment = paymentOf(refund);
  const provider = app.providers.of(refund.provider);
  const [refunds, disputes] = await Promise.all([
    provider.refundsOf(transactionId),
    provider.disputesOf(transactionId),
  ]);
  await transact(app.orm.em, async (em) => {
    await lockPayment(em, payment);
    const atDashboard = await applyProviderRefunds(em, payment, refunds, app.logger);
    await applyProviderDisputes(em, payment, disputes, app.logger);
    await coverBlockedRefunds(em, payment, atDashboard);
    const [state] = await sql<RefundState>(em, refundStateSql, [customerId, id]);
    // Reduced, it is sent again; and it waits for the end of a dispute.
    if (state?.isBlocked || state?.attempt !== refund.attempt) return;
    const why = codePattern.test(reason) ? reason : 'refused';
    const failed = await changeRefund(em, payment, { refund, to: 'FAILED', reason: why });
    if (failed) app.logger.error({ refundId: id, reason }, 'refund failed');
  });
}

/**
 * The next attempt uses another key, after a look whether this one was executed: minutes later, as it may
 * still be executing, and lists may be behind.
 */
async function replaceKey(app: OrderApp, { customerId, id, attempt }: DueRefund): Promise<void> {
  await sql(
    app.orm.em.fork(),
    `update refund set attempt = attempt + 1, keys_used_up = keys_used_up + 1,
       next_attempt_at = now() + $4 * interval '1 ms', not_before = now() + $4 * interval '1 ms'
     where customer_id = $1 and id = $2 and attempt = $3 and status = 'PENDING'`,
    [customerId, id, attempt, newKeyPauseMs],
  );
}
