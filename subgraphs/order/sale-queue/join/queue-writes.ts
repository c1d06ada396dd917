import type { EntityManager } from '@mikro-orm/postgresql';
import { Coalescer } from '../../../shared/batching/coalescer.js';
import { groupWrites } from '../../../shared/batching/group-writes.js';
import { isLockTimeout, isTooSlow } from '../../../shared/database/errors.js';
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
const closingMaxMs = 9000;

const busy = () => tryAgain('Service temporarily unavailable. Please retry.');

/** A ticket that was taken is found by the next attempt. */
function asNothing(error: unknown): never {
  if (error instanceof OutcomeUnknown || isTooSlow(error)) throw busy();
  throw error;
}

/**
 * Joins of queues that others keep locked are answered with `TRY_AGAIN`: repeated one by one, they would take the
 * connections of all requests while a long list is drawn. Those of other queues go on.
 */
async function joinUnlocked(
  em: EntityManager,
  joins: readonly Join[],
  when: 'early' | 'late',
): Promise<(Joined | Error)[]> {
  try {
    return await joinTickets(em.fork(), joins, when);
  } catch (error) {
    if (!isLockTimeout(error)) throw error;
    const groups = [...Map.groupBy(joins, ({ saleId }) => saleId).values()];
    if (groups.length === 1) return joins.map(busy);
    const outcomes = new Map<Join, Joined | Error>();
    for (const group of groups) {
      const joined = await joinUnlocked(em, group, when);
      for (const [n, join] of group.entries()) outcomes.set(join, joined[n] as Joined | Error);
    }
    return joins.map((join) => outcomes.get(join) as Joined | Error);
  }
}

export function createQueueWrites(em: EntityManager): QueueWrites {
  const joinEarly = groupWrites((joins: readonly Join[]) => joinUnlocked(em, joins, 'early'));
  const joinLate = groupWrites((joins: readonly Join[]) => joinUnlocked(em, joins, 'late'));
  const closings = new Coalescer<string, null>(
    async (saleIds) => {
      for (const saleId of new Set(saleIds)) await closeList(em.fork(), saleId);
      return saleIds.map(() => null);
    },
    { inFlightMax: 1 },
  );
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
        await closings.submit(join.saleId, closingMaxMs).catch(asNothing);
      }
      throw tryAgain('The list of the sale is being closed. Please retry.');
    },
  };
}
