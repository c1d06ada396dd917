import Big from 'big.js';
import { namedParameters } from '../../../shared/database/named-parameters.js';
import { sql } from '../../../shared/database/sql.js';
import type { ProviderRefund } from '../provider/payment-provider.js';
import { refundStatusOf } from '../refund/apply-provider-refunds.js';
import type { RefundStatus } from '../state/status.js';
import {
  type Comparison,
  createdInSql,
  type Expected,
  hasJustChangedSql,
  isInProgressSql,
} from './compare-listed.js';
import { type FoundDifference, textOf } from './difference.js';

interface RefundPair {
  readonly providerRefundId: string;
  readonly paymentId: string;
  readonly currencyCode: string;
  /** null if the refund is not known here */
  readonly refundId: string | null;
  readonly status: RefundStatus | null;
  readonly amount: string | null;
  readonly isSent: boolean;
  readonly isInProgress: boolean;
}

interface ExpectedRefund extends Expected {
  readonly status: RefundStatus;
  readonly paymentId: string;
  readonly transactionId: string;
}

const expectedSql = `
  select r.id, r.provider_refund_id as "providerId", r.status, p.id as "paymentId",
    p.provider_transaction_id as "transactionId"
  from refund r join payment p on p.customer_id = r.customer_id and p.id = r.payment_id
  where ${createdInSql('r')} and p.provider = $5 and p.provider_transaction_id is not null
    and r.status in ('SENT', 'COMPLETED') and r.provider_refund_id is not null
    and not ${isInProgressSql('p')} and not ${hasJustChangedSql('r')}
  order by r.id limit $6`;

export const refundComparison: Comparison<ProviderRefund, ExpectedRefund> = {
  list: (provider, period, send) => provider.listRefunds(period, send),
  providerIdOf: ({ id }) => id,
  async compare({ em, provider }, listed) {
    const values = pairParameters.values({
      provider: provider.name,
      listed: listed.map((refund) => ({
        id: refund.id,
        transaction_id: refund.transactionId,
        refund_id: refund.refundId,
      })),
    });
    const rows = await sql<RefundPair>(em, pairSql, values);
    const pairs = new Map(rows.map((row) => [row.providerRefundId, row]));
    return listed.flatMap((refund) => {
      const pair = pairs.get(refund.id);
      return pair && !pair.isInProgress ? differences(refund, pair) : [];
    });
  },
  expectedSql,
  exists: async (provider, { transactionId, providerId }) =>
    (await provider.refundsOf(transactionId)).some(({ id }) => id === providerId),
  missing: ({ id: refundId, providerId: providerRefundId, ...ours }) => ({
    kind: 'REFUND_MISSING',
    subject: {
      ...{ paymentId: ours.paymentId, transactionId: ours.transactionId },
      ...{ refundId, providerRefundId },
    },
    here: ours.status,
    there: null,
    action: 'REPORT',
  }),
};

const pairParameters = namedParameters({
  provider: 'text',
  listed: { id: 'text', transaction_id: 'text', refund_id: 'text' },
});
const { sql: parameters } = pairParameters;

// provider_transaction and payment by their keys, then refund_of_provider. A refund of an unknown transaction is not ours.
const pairSql = `
  select listed.id as "providerRefundId", p.id as "paymentId", p.currency_code as "currencyCode",
    r.id as "refundId", r.status, r.amount, r.provider_refund_id is not null as "isSent",
    (${isInProgressSql('p')} or coalesce(${hasJustChangedSql('r')}, false)
      or coalesce(r.status in ('PENDING', 'SENT') and r.next_attempt_at <= now(), false)
    ) as "isInProgress"
  from ${parameters.listed}
  join provider_transaction t on t.provider = ${parameters.provider}
    and t.provider_transaction_id = listed.transaction_id
  join payment p on p.customer_id = t.customer_id and p.id = t.payment_id
  left join lateral (
    select * from refund where customer_id = p.customer_id and payment_id = p.id and (provider_refund_id = listed.id
      or (provider_refund_id is null and id::text = listed.refund_id))
    order by provider_refund_id nulls last limit 1
  ) r on true`;

function differences(refund: ProviderRefund, pair: RefundPair): FoundDifference[] {
  const { paymentId, refundId, status } = pair;
  // A former attempt of a refund that was retried, or one of a person: nothing was refunded.
  if (refund.status === 'failed' && !pair.isSent) return [];
  const { transactionId, id: providerRefundId } = refund;
  const subject = { paymentId, transactionId, providerRefundId };
  if (refundId === null || status === null) {
    const there = `${refund.status} ${textOf(refund)}`;
    return [{ kind: 'REFUND_UNKNOWN', subject, here: null, there, action: 'MAKE_DUE' }];
  }
  const ours = { amount: pair.amount as string, currencyCode: pair.currencyCode };
  const found: FoundDifference[] = [];
  const known = { ...subject, refundId };
  if (refundStatusOf[refund.status] !== status) {
    const states = { here: status, there: refund.status };
    found.push({ kind: 'REFUND_STATUS', subject: known, ...states, action: 'MAKE_DUE' });
  }
  if (refund.currencyCode !== ours.currencyCode || !new Big(refund.amount).eq(ours.amount)) {
    const amounts = { here: textOf(ours), there: textOf(refund) };
    found.push({ kind: 'REFUND_AMOUNT', subject: known, ...amounts, action: 'REPORT' });
  }
  return found;
}
