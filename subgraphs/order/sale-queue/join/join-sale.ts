import { randomUUID } from 'node:crypto';
import { identityOf } from '../../../shared/auth/callers.js';
import { queueNotOpen, type SaleNotOpen } from '../../cart/sale-not-open.js';
import type { NotEligible } from '../../checkout/sale-refusals.js';
import { notEligible } from '../../checkout/sale-refusals.js';
import { checkCustomer } from '../../sale-limit/eligibility.js';
import { isLapsed } from '../admission-end.js';
import { findQueue } from '../find-queue.js';
import type { SaleTicket } from '../sale-ticket.js';
import type { JoinContext } from './join-app.js';

/**
 * Takes a ticket of the queue of a sale for the customer. One who has a ticket gets it again, without another challenge.
 *
 * @throws `BAD_USER_INPUT` without a token that the provider of challenges accepts; `TRY_AGAIN`
 */
export async function joinSale(
  context: JoinContext,
  saleId: string,
  challengeToken: string | null | undefined,
): Promise<SaleTicket | NotEligible | SaleNotOpen> {
  const { app, em } = context;
  const { id: customerId } = identityOf(context);
  const queue = await findQueue(app, em, saleId);
  if (!queue || queue.endedAt) return queueNotOpen(saleId, new Date());
  const ticket = await findTicket(context, saleId);
  if (ticket && !ticket.leftAt && !isLapsed(ticket, queue)) return ticket;
  const { eligibility } = queue;
  const accountBefore = queue.accountBefore?.toISOString() ?? null;
  const checked = await checkCustomer(app.user, customerId, [
    { id: saleId, eligibility, accountBefore },
  ]);
  if ('reason' in checked) return notEligible(checked);
  await app.challenge.require('challengeToken', challengeToken, {
    withoutAnswer: 'allow',
    userId: customerId,
  });
  const join = { saleId, customerId, id: randomUUID() };
  const joined = await app.queueWrites.join(join, queue.closedAt !== null);
  return joined ?? queueNotOpen(saleId, new Date());
}

/** The ticket of the customer, also one that the customer left; null without one. @throws `TRY_AGAIN` */
export const findTicket = (context: JoinContext, saleId: string): Promise<SaleTicket | null> =>
  context.app.queueReads.ticket({ customerId: identityOf(context).id, saleId });
