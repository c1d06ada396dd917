import Big from 'big.js';
import { namedParameters } from '../../../shared/database/named-parameters.js';
import { sql } from '../../../shared/database/sql.js';
import type { ProviderDispute } from '../provider/payment-provider.js';
import type { DisputeStatus } from '../state/status.js';
import {
  type Comparison,
  createdInSql,
  type Expected,
  hasJustChangedSql,
  isInProgressSql,
} from './compare-listed.js';
import { type FoundDifference, textOf } from './difference.js';

interface DisputePair {
  readonly providerDisputeId: string;
  readonly paymentId: string;
  readonly currencyCode: string;
  /** null if the dispute is not known here */
  readonly disputeId: string | null;
  readonly status: DisputeStatus | null;
  readonly amount: string | null;
  readonly isInProgress: boolean;
}

interface ExpectedDispute extends Expected {
  readonly status: DisputeStatus;
  readonly paymentId: string;
  readonly transactionId: string;
}

const expectedSql = `
  select d.id, d.provider_dispute_id as "providerId", d.status, p.id as "paymentId",
    p.provider_transaction_id as "transactionId"
  from dispute d join payment p on p.customer_id = d.customer_id and p.id = d.payment_id
  where ${createdInSql('d')} and p.provider = $5 and p.provider_transaction_id is not null
    and not ${isInProgressSql('p')} and not ${hasJustChangedSql('d')}
  order by d.id limit $6`;

export const disputeComparison: Comparison<ProviderDispute, ExpectedDispute> = {
  list: (provider, period, send) => provider.listDisputes(period, send),
  providerIdOf: ({ id }) => id,
  async compare({ em, provider }, listed) {
    const values = pairParameters.values({
      provider: provider.name,
      listed: listed.map(({ id, transactionId }) => ({ id, transaction_id: transactionId })),
    });
    const rows = await sql<DisputePair>(em, pairSql, values);
    const pairs = new Map(rows.map((row) => [row.providerDisputeId, row]));
    return listed.flatMap((dispute) => {
      const pair = pairs.get(dispute.id);
      return pair && !pair.isInProgress ? differences(dispute, pair) : [];
    });
  },
  expectedSql,
  exists: async (provider, { transactionId, providerId }) =>
    (await provider.disputesOf(transactionId)).some(({ id }) => id === providerId),
  missing: ({ id: disputeId, providerId: providerDisputeId, ...ours }) => ({
    kind: 'DISPUTE_MISSING',
    subject: {
      ...{ paymentId: ours.paymentId, transactionId: ours.transactionId },
      ...{ disputeId, providerDisputeId },
    },
    here: ours.status,
    there: null,
    action: 'REPORT',
  }),
};

const pairParameters = namedParameters({
  provider: 'text',
  listed: { id: 'text', transaction_id: 'text' },
});
const { sql: parameters } = pairParameters;

// provider_transaction and payment by their keys, then dispute_of_provider. A dispute of an unknown transaction is not ours.
const pairSql = `
  select listed.id as "providerDisputeId", p.id as "paymentId", p.currency_code as "currencyCode",
    d.id as "disputeId", d.status, d.amount,
    (${isInProgressSql('p')} or coalesce(${hasJustChangedSql('d')}, false)) as "isInProgress"
  from ${parameters.listed}
  join provider_transaction t on t.provider = ${parameters.provider}
    and t.provider_transaction_id = listed.transaction_id
  join payment p on p.customer_id = t.customer_id and p.id = t.payment_id
  left join dispute d on d.customer_id = p.customer_id and d.payment_id = p.id
    and d.provider_dispute_id = listed.id`;

/** What the provider knows of the amount is stored with the status, but not its currency. */
function differences(dispute: ProviderDispute, pair: DisputePair): FoundDifference[] {
  const { paymentId, disputeId, status, currencyCode } = pair;
  const { transactionId, id: providerDisputeId } = dispute;
  const subject = { paymentId, transactionId, providerDisputeId };
  if (disputeId === null || status === null) {
    const there = `${dispute.status} ${textOf(dispute)}`;
    return [{ kind: 'DISPUTE_UNKNOWN', subject, here: null, there, action: 'MAKE_DUE' }];
  }
  const ours = { amount: pair.amount as string, currencyCode };
  const found: FoundDifference[] = [];
  const known = { ...subject, disputeId };
  if (dispute.status !== status) {
    const states = { here: status, there: dispute.status };
    found.push({ kind: 'DISPUTE_STATUS', subject: known, ...states, action: 'MAKE_DUE' });
  }
  const isSameCurrency = dispute.currencyCode === currencyCode;
  if (!isSameCurrency || !new Big(dispute.amount).eq(ours.amount)) {
    const amounts = { here: textOf(ours), there: textOf(dispute) };
    const action = isSameCurrency ? 'MAKE_DUE' : 'REPORT';
    found.push({ kind: 'DISPUTE_AMOUNT', subject: known, ...amounts, action });
  }
  return found;
}
