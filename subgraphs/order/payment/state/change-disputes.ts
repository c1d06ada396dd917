import type { EntityManager } from '@mikro-orm/postgresql';
import { namedParameters } from '../../../shared/database/named-parameters.js';
import { sql } from '../../../shared/database/sql.js';
import { newId } from '../../../shared/ids.js';
import type { RowKey } from '../../row-key.js';
import { assertTransition } from '../../state-machine.js';
import { type DisputeStatus, disputeTransitions } from './status.js';

export interface DisputeChange {
  /** as it was read: a dispute with another status by now is left as it is */
  readonly dispute: RowKey & { readonly status: DisputeStatus };
  readonly to: DisputeStatus;
}

/**
 * The one writer of the status of disputes: in one statement it changes disputes and adds the entries in the
 * histories of the orders. In a transaction that holds the locks of their payments (`lockPayment`).
 *
 * @throws AssertionFailed for a transition that `disputeTransitions` does not have
 */
export async function changeDisputes(
  em: EntityManager,
  changes: readonly DisputeChange[],
): Promise<void> {
  const change = changes.map(({ dispute, to }) => {
    assertTransition(disputeTransitions, dispute.status, to);
    const { customerId, id, status } = dispute;
    return {
      ...{ customer_id: customerId, id, from_status: status },
      ...{ to_status: to, event_id: newId() },
    };
  });
  await sql(em, changeDisputesSql, changeParameters.values({ change }));
}

const changeParameters = namedParameters({
  change: {
    customer_id: 'uuid',
    id: 'uuid',
    from_status: 'text',
    to_status: 'text',
    event_id: 'uuid',
  },
});

/**
 * SQL that adds to the histories of orders what became of their disputes.
 *
 * @param disputes a CTE with `customer_id`, `payment_id`, `status`, `reason` and `event_id`
 */
export const disputeHistorySql = (disputes: string) => `
  insert into order_event (customer_id, id, order_id, type, actor, reason)
  select p.customer_id, event_id, p.order_id, 'DISPUTE_CHANGED', 'payments',
    ${disputes}.status || ': ' || ${disputes}.reason
  from ${disputes}
    join payment p on p.customer_id = ${disputes}.customer_id and p.id = payment_id`;

const changeDisputesSql = `
  with change as (
    select * from ${changeParameters.sql.change}
  ), changed as (
    update dispute d set status = change.to_status, updated_at = now()
    from change where d.customer_id = change.customer_id and d.id = change.id
      and d.status = change.from_status
    returning d.customer_id, d.payment_id, d.status, d.reason, change.event_id
  )
  ${disputeHistorySql('changed')}`;
