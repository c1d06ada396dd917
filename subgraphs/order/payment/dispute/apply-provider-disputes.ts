import type { EntityManager } from '@mikro-orm/postgresql';
import { namedParameters } from '../../../shared/database/named-parameters.js';
import { sql } from '../../../shared/database/sql.js';
import { newId } from '../../../shared/ids.js';
import type { Logger } from '../../../shared/observability/logger.js';
import { markRefundsDue } from '../../order/payment-signals.js';
import type { RowKey } from '../../row-key.js';
import { pathBetween } from '../../state-machine.js';
import type { ProviderDispute } from '../provider/payment-provider.js';
import { changeDisputes, disputeHistorySql } from '../state/change-disputes.js';
import { coverRefunds } from '../state/cover-refunds.js';
import { type DisputeStatus, disputeTransitions } from '../state/status.js';

/**
 * Applies what the provider knows of the disputes of a payment: events about them arrive in any order, so
 * their state is always looked up. What a lost dispute paid is not refunded again. In a transaction that
 * holds the lock of the payment.
 */
export async function applyProviderDisputes(
  em: EntityManager,
  key: RowKey,
  reported: readonly ProviderDispute[],
  logger: Logger,
): Promise<void> {
  if (reported.length === 0) return;
  const { customerId, id: paymentId } = key;
  const [payment] = await sql<Paid>(
    em,
    'select amount, currency_code as "currencyCode" from payment where customer_id = $1 and id = $2',
    [customerId, paymentId],
  );
  const rows = await sql<{ id: string; status: DisputeStatus; providerDisputeId: string }>(
    em,
    `select id, status, provider_dispute_id as "providerDisputeId" from dispute
     where customer_id = $1 and payment_id = $2`,
    [customerId, paymentId],
  );
  for (const dispute of reported.map((each) => inCurrencyOf(payment as Paid, each, logger))) {
    const row = rows.find(({ providerDisputeId }) => providerDisputeId === dispute.id);
    if (!row) await insertDispute(em, key, dispute);
    else {
      await updateFacts(em, { customerId, id: row.id }, dispute);
      await applyStatus(em, { customerId, ...row }, dispute.status, logger);
    }
  }
  await coverRefunds(em, key);
  await wakeWaitingRefunds(em, key);
}

interface Paid {
  readonly amount: string;
  readonly currencyCode: string;
}

/** A dispute in another currency than its payment is about the whole payment, as far as is known here. */
function inCurrencyOf(paid: Paid, dispute: ProviderDispute, logger: Logger): ProviderDispute {
  if (dispute.currencyCode === paid.currencyCode) return dispute;
  logger.error({ dispute, paid }, 'dispute has another currency than its payment');
  return { ...dispute, ...paid };
}

const insertParameters = namedParameters({
  customer_id: 'uuid',
  id: 'uuid',
  payment_id: 'uuid',
  provider_dispute_id: 'text',
  status: 'text',
  amount: 'numeric',
  reason: 'text',
  evidence_due_at: 'timestamptz',
  funds_withdrawn: 'boolean',
  funds_reinstated: 'boolean',
  event_id: 'uuid',
});
const { sql: parameters } = insertParameters;
const insertDisputeSql = `
  with inserted as (
    insert into dispute (customer_id, id, payment_id, provider_dispute_id, status, amount, reason,
      evidence_due_at, funds_withdrawn, funds_reinstated)
    values (${parameters.customer_id}, ${parameters.id}, ${parameters.payment_id}, ${parameters.provider_dispute_id},
      ${parameters.status}, ${parameters.amount}, ${parameters.reason},
      ${parameters.evidence_due_at}, ${parameters.funds_withdrawn}, ${parameters.funds_reinstated})
    returning customer_id, payment_id, status, reason, ${parameters.event_id} as event_id
  )
  ${disputeHistorySql('inserted')}`;

async function insertDispute(
  em: EntityManager,
  { customerId, id: paymentId }: RowKey,
  dispute: ProviderDispute,
): Promise<void> {
  const values = insertParameters.values({
    customer_id: customerId,
    id: newId(),
    payment_id: paymentId,
    provider_dispute_id: dispute.id,
    status: dispute.status,
    amount: dispute.amount,
    reason: dispute.reason,
    evidence_due_at: dispute.evidenceDueAt,
    funds_withdrawn: dispute.fundsWithdrawn,
    funds_reinstated: dispute.fundsReinstated,
    event_id: newId(),
  });
  await sql(em, insertDisputeSql, values);
}

async function updateFacts(
  em: EntityManager,
  { customerId, id }: RowKey,
  dispute: ProviderDispute,
): Promise<void> {
  await sql(
    em,
    `update dispute set amount = $3, evidence_due_at = $4, funds_withdrawn = $5,
       funds_reinstated = $6, updated_at = now() where customer_id = $1 and id = $2`,
    [
      ...[customerId, id, dispute.amount, dispute.evidenceDueAt],
      ...[dispute.fundsWithdrawn, dispute.fundsReinstated],
    ],
  );
}

async function applyStatus(
  em: EntityManager,
  { customerId, id, status }: RowKey & { readonly status: DisputeStatus },
  reported: DisputeStatus,
  logger: Logger,
): Promise<void> {
  const path = pathBetween(disputeTransitions, status, reported);
  if (!path) {
    logger.error({ disputeId: id, status, reported }, 'provider reported an impossible change');
    return;
  }
  let from = status;
  for (const to of path) {
    await changeDisputes(em, [{ dispute: { customerId, id, status: from }, to }]);
    from = to;
  }
}

/** Refunds wait while a dispute is open. One whose key was used up waits on: its request may still be executed. */
async function wakeWaitingRefunds(
  em: EntityManager,
  { customerId, id: paymentId }: RowKey,
): Promise<void> {
  await sql(
    em,
    `update refund set next_attempt_at = greatest(now(), not_before)
     where customer_id = $1 and payment_id = $2 and status = 'PENDING'`,
    [customerId, paymentId],
  );
  markRefundsDue(em, paymentId);
}
