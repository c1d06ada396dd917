import type { PublishedSaleState, SaleSummary } from '../../subgraphs/contracts/shop.js';
import type { SaleStock } from '../../subgraphs/contracts/warehouse.js';
import type { SaleReads } from '../../subgraphs/order/sale/read-sales.js';
import { tryAgain } from '../../subgraphs/shared/errors.js';
import { newId } from '../../subgraphs/shared/ids.js';

type Rows = <T extends object>(text: string, values?: unknown[]) => Promise<T[]>;

const minuteMs = 60_000;

export interface GivenTicket {
  readonly customerId?: string;
  readonly number?: number | null;
  readonly leftAt?: Date | null;
  readonly admittedMsAgo?: number | null;
  readonly admittedPausedMs?: number;
}

/** Queues and tickets, inserted. */
export function queuesIn(rows: Rows) {
  return {
    /** A queue that has been drawn, of a sale that started a minute ago. */
    async addQueue({
      saleId = newId(),
      drawn = true,
      startsInMs = -minuteMs,
      endsInMs = 60 * minuteMs,
    } = {}): Promise<string> {
      await rows(
        `insert into sale_queue (sale_id, starts_at, ends_at, eligibility, admission_minutes, seed,
           closed_at, list_count, list_hash, drawn_at)
         values ($1, now() + $2 * interval '1 ms', now() + $3 * interval '1 ms', 'ANYONE', 5,
           sha256('seed'), now(), 0, sha256(''), case when $4 then now() end)
         on conflict (sale_id) do update set starts_at = excluded.starts_at,
           closed_at = excluded.closed_at, list_count = 0, list_hash = excluded.list_hash,
           drawn_at = excluded.drawn_at`,
        [saleId, startsInMs, endsInMs, drawn],
      );
      return saleId;
    },
    /** Adds a ticket, at the end if it has no number. @returns the customer */
    async addTicket(saleId: string, given: GivenTicket = {}): Promise<string> {
      const { customerId = newId(), number, leftAt = null, admittedMsAgo = null } = given;
      await rows(
        `with queue as (
           update sale_queue set next_number = greatest(next_number, coalesce($3, next_number) + 1)
           where sale_id = $1 returning next_number - 1 as number)
         insert into sale_ticket (sale_id, customer_id, id, joined_at, number, left_at, admitted_at,
           admitted_paused_ms)
         select $1, $2, $4, now(), coalesce($3, queue.number), $5,
           now() - $6 * interval '1 ms', case when $6::float8 is not null then $7::bigint end
         from queue`,
        [
          ...[saleId, customerId, number ?? null, newId(), leftAt],
          ...[admittedMsAgo, given.admittedPausedMs ?? 0],
        ],
      );
      return customerId;
    },
    async addTickets(saleId: string, count: number): Promise<string[]> {
      const customers = Array.from({ length: count }, newId);
      await rows(
        `with queue as (
           select next_number as first from sale_queue where sale_id = $1), moved as (
           update sale_queue set next_number = next_number + $3 where sale_id = $1)
         insert into sale_ticket (sale_id, customer_id, id, joined_at, number)
         select $1, customer_id, gen_random_uuid(), now(), first + n - 1
         from queue, unnest($2::uuid[]) with ordinality as c (customer_id, n)`,
        [saleId, customers, count],
      );
      return customers;
    },
    async queueOf(saleId: string) {
      const [queue] = await rows<{ serving: number; next: number; ended: boolean }>(
        `select serving_number as serving, next_number as next, ended_at is not null as ended
         from sale_queue where sale_id = $1`,
        [saleId],
      );
      return queue as { serving: number; next: number; ended: boolean };
    },
    /** The numbers of those who are, or were, admitted. */
    async admittedIn(saleId: string): Promise<number[]> {
      const admitted = await rows<{ number: number }>(
        `select number from sale_ticket where sale_id = $1 and admitted_at is not null
         order by number`,
        [saleId],
      );
      return admitted.map(({ number }) => number);
    },
    async ticketOf(saleId: string, customerId: string) {
      const [ticket] = await rows<{
        number: number;
        admitted: boolean;
        orderId: string | null;
        expired: number;
      }>(
        `select number, admitted_at is not null as admitted, order_id as "orderId",
           expired_orders as expired
         from sale_ticket where sale_id = $1 and customer_id = $2`,
        [saleId, customerId],
      );
      return ticket;
    },
    /** The lease of a queue ends, as if its process had been killed long ago. */
    endLease: (saleId: string) =>
      rows('update sale_queue set serve_after = now() where sale_id = $1', [saleId]),
  };
}
export type Queues = ReturnType<typeof queuesIn>;

/** Shop and warehouse in memory, with sales of one offer each. */
export function createFakeSaleReads() {
  const sales = new Map<string, SaleSummary>();
  const units = new Map<string, { allocated: number; held: number; sold: number }>();
  const faults = { sales: false, stock: false };
  let beforeStock: () => Promise<unknown> = async () => {};
  const lineOf = (saleId: string): SaleStock => {
    const line = units.get(saleId) ?? { allocated: 0, held: 0, sold: 0 };
    const remaining = line.allocated - line.held - line.sold;
    return { shopId: saleId, sku: 'S', ...line, remaining };
  };
  const reads: SaleReads = {
    async sales(ids) {
      if (faults.sales) throw tryAgain('shop does not answer');
      const decidedAt = new Date().toISOString();
      const found = ids.flatMap((id) => sales.get(id) ?? []);
      return new Map(found.map((sale) => [sale.id, { ...sale, decidedAt }]));
    },
    async stock(ids) {
      await beforeStock();
      if (faults.stock) throw tryAgain('warehouse does not answer');
      return new Map(ids.map((id) => [id, [lineOf(id)]]));
    },
  };
  return {
    ...{ reads, faults, units },
    /** Runs before units are read. */
    beforeStock(step: typeof beforeStock) {
      beforeStock = step;
    },
    /** A sale of an hour that started a minute ago. */
    add(id: string, allocated: number, given: Partial<SaleSummary> = {}): void {
      const at = (ms: number) => new Date(Date.now() + ms).toISOString();
      const state: PublishedSaleState = 'LIVE';
      sales.set(id, {
        ...{ id, state, startsAt: at(-minuteMs), endsAt: at(60 * minuteMs), decidedAt: at(0) },
        ...{ admission: 'QUEUED', admissionMinutes: 5, admissionsPerMinute: null, pausedMs: 0 },
        ...{ isPaused: false, eligibility: 'ANYONE', accountBefore: null },
        shops: [{ shopId: id, ownerId: id }],
        offers: [{ offerId: id, shopId: id, sku: 'S' }],
        ...given,
      });
      units.set(id, { allocated, held: 0, sold: 0 });
    },
    change(id: string, changed: Partial<SaleSummary>): void {
      sales.set(id, { ...(sales.get(id) as SaleSummary), ...changed });
    },
  };
}
