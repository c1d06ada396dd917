import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../../shared/database/sql.js';
import { badInput } from '../../../shared/errors.js';
import type { RowKey } from '../../row-key.js';

/** Refunds of a shop order for units or amounts. Cancelling all that is left makes one more. */
const refundsOfShopOrderMax = 100;

/**
 * In a transaction that holds the lock of the payment.
 *
 * @param place of the id of the shop order in the input
 * @throws `BAD_USER_INPUT` for a shop order with `refundsOfShopOrderMax` refunds
 */
export async function requireRoomForRefund(
  em: EntityManager,
  { customerId, id }: RowKey,
  place = 'input.id',
): Promise<void> {
  const [count] = await sql<{ refunds: number }>(
    em,
    'select count(*)::int as refunds from refund where customer_id = $1 and shop_order_id = $2',
    [customerId, id],
  );
  if ((count?.refunds ?? 0) < refundsOfShopOrderMax) return;
  throw badInput({ [place]: `${id} has the maximum of ${refundsOfShopOrderMax} refunds` });
}
