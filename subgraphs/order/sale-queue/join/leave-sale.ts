import { identityOf } from '../../../shared/auth/callers.js';
import { sql } from '../../../shared/database/sql.js';
import { runStatement } from '../../../shared/database/transact.js';
import type { SaleTicket } from '../sale-ticket.js';
import type { JoinContext } from './join-app.js';
import { findTicket } from './join-sale.js';

/**
 * Leaves the queue of a sale. The ticket stays in its list and in the draw, and is passed over.
 *
 * @returns null if the customer has no ticket
 * @throws OutcomeUnknown
 */
export async function leaveSale(context: JoinContext, saleId: string): Promise<SaleTicket | null> {
  const { id: customerId } = identityOf(context);
  await runStatement(context.em, () =>
    sql(
      context.em,
      `update sale_ticket set left_at = clock_timestamp(), updated_at = now()
       where customer_id = $1 and sale_id = $2 and left_at is null`,
      [customerId, saleId],
    ),
  );
  return findTicket(context, saleId);
}
