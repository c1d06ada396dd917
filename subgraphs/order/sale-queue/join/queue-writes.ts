import type { EntityManager } from '@mikro-orm/postgresql';
import { groupWrites } from '../../../shared/batching/group-writes.js';
import { OutcomeUnknown, tryAgain } from '../../../shared/errors.js';
import { closeList } from '../close-list.js';
import type { SaleTicket } from '../sale-ticket.js';
import { type Join, type Joined, joinTickets } from './join-tickets.js';

/** The writes of those who join. Concurrent ones share a transaction. */
export interface QueueWrites {
  /**
   * Takes a ticket, or finds the one that the customer has.
   *
   * @param isClosed whether the list of early tickets is known to be closed
   * @returns null if nobody waits any more
   * @throws `TRY_AGAIN`
   */
  join(join: Join, isClosed: boolean): Promise<SaleTicket | null>;
}

/** A list may be closed between two of them. */
const attemptsMax = 4;

/** A ticket that was taken is found by the next attempt. */
function asNothing(error: unknown): never {
  if (!(error instanceof OutcomeUnknown)) throw error;
  throw tryAgain('Service temporarily unavailable. Please retry.');
}

export function createQueueWrites(em: EntityManager): QueueWrites {
  const joinEarly = groupWrites((joins: readonly Join[]) => joinTickets(em.fork(), joins, 'early'));
  const joinLate = groupWrites((joins: readonly Join[]) => joinTickets(em.fork(), joins, 'late'));
  const inTurn = async (join: Join, isClosed: boolean): Promise<Joined> => {
    const early = isClosed ? null : await joinEarly(join);
    return early && early.state !== 'late' ? early : joinLate(join);
  };
  return {
    async join(join, isClosed) {
      for (let n = 0; n < attemptsMax; n++) {
        const joined = await inTurn(join, isClosed).catch(asNothing);
        if (joined.state === 'joined') return joined.ticket;
        if (joined.state === 'over') return null;
        await closeList(em.fork(), join.saleId);
      }
      throw tryAgain('The list of the sale is being closed. Please retry.');
    },
  };
}
