import type { EntityManager } from '@mikro-orm/postgresql';
import { Coalescer } from '../../shared/batching/coalescer.js';
import { columnsOf } from '../../shared/database/columns.js';
import { sqlPrepared, unnestOf } from '../../shared/database/sql.js';
import { inOrderOf } from '../../shared/graphql/context.js';
import type { TicketKey } from './admission/go-to-end.js';
import { SaleQueue } from './sale-queue.js';
import { SaleTicket } from './sale-ticket.js';

/** Reads of queues and tickets: when a list opens, thousands ask for the same queue. Concurrent ones share a statement. */
export interface QueueReads {
  /** @returns null for a sale without a queue, or one that this subgraph does not know yet. @throws `TRY_AGAIN` */
  queue(saleId: string): Promise<SaleQueue | null>;
  /** @returns the ticket of the customer, also one that was left; null without one. @throws `TRY_AGAIN` */
  ticket(key: TicketKey): Promise<SaleTicket | null>;
}

const limits = { inFlightMax: 2, batchMax: 256 };
const readMaxMs = 4000;

export function createQueueReads(em: EntityManager): QueueReads {
  const queues = new Coalescer<string, SaleQueue | null>(
    (saleIds) => findQueues(em.fork(), saleIds),
    limits,
  );
  const tickets = new Coalescer<TicketKey, SaleTicket | null>(
    async (keys) =>
      inOrderOf(keys.map(ticketNameOf), await readTickets(em.fork(), keys), ticketNameOf),
    limits,
  );
  return {
    queue: (saleId) => queues.submit(saleId, readMaxMs),
    ticket: (key) => tickets.submit(key, readMaxMs),
  };
}

/** A name for the key of a ticket. */
export const ticketNameOf = ({ customerId, saleId }: TicketKey) => `${customerId} ${saleId}`;

async function findQueues(em: EntityManager, saleIds: readonly string[]) {
  const rows = await em.find(SaleQueue, { saleId: { $in: [...new Set(saleIds)] } });
  return inOrderOf(saleIds, rows, ({ saleId }) => saleId);
}

/** The tickets that these customers have in these queues, also those that they left; served by the primary key. */
export async function readTickets(
  em: EntityManager,
  keys: readonly TicketKey[],
): Promise<SaleTicket[]> {
  const rows = await sqlPrepared<object>(
    em,
    `select ${columnsOf(em, SaleTicket, 't.')}
     from ${unnestOf('uuid', 'uuid')} as wanted (customer_id, sale_id)
       join sale_ticket t using (customer_id, sale_id)`,
    [keys.map(({ customerId }) => customerId), keys.map(({ saleId }) => saleId)],
  );
  return rows.map((row) => em.map(SaleTicket, row));
}
