import { createHash } from 'node:crypto';
import { databaseSchema } from '../../subgraphs/order/mikro-orm.config.js';
import { type Beacon, roundAt } from '../../subgraphs/order/sale-queue/beacon/beacon-chain.js';
import { closeLists, drawQueues } from '../../subgraphs/order/sale-queue/draw/draw-queues.js';
import { createQueueWrites } from '../../subgraphs/order/sale-queue/join/queue-writes.js';
import { beaconBeforeS } from '../../subgraphs/order/sale-queue/queue-times.js';
import { connect, disconnect } from '../../subgraphs/shared/database/connect.js';
import { newId } from '../../subgraphs/shared/ids.js';
import { openTestDatabase } from './databases.js';
import { logger } from './stock-engine.js';

export const fixedSeed = createHash('sha256').update('a seed').digest();

/** An id that is the same in each run. */
export function fixedId(n: number): string {
  const hex = createHash('sha256').update(`ticket ${n}`).digest('hex');
  return [8, 12, 16, 20, 32].map((end, at) => hex.slice([0, 8, 12, 16, 20][at], end)).join('-');
}

/** Spearman’s rank correlation of a permutation of 1 to n with its order. */
export function rankCorrelation(ranks: readonly number[]): number {
  const n = ranks.length;
  const squares = ranks.reduce((sum, rank, at) => sum + (rank - at - 1) ** 2, 0);
  return 1 - (6 * squares) / (n * (n * n - 1));
}

interface GivenQueue {
  readonly startsInMs: number;
  readonly seed?: Buffer;
}

/** The order database, and two processes that join and draw in it. */
export async function openQueues(beacon: Beacon | null = null) {
  const database = await openTestDatabase('order', databaseSchema, { poolMax: 8 });
  const other = await connect({ name: 'other', url: database.url, poolMax: 8 }, databaseSchema);
  const orms = [database.orm, other] as const;
  const writes = orms.map(({ em }) => createQueueWrites(em));
  const rows = async <T extends object>(text: string, values: unknown[] = []) =>
    (await database.client.query<T>(text, values)).rows;
  const app = { beacon, databaseUrl: database.url, logger };
  const queues = {
    ...database,
    rows,
    /** The queue of a sale that shop does not know. */
    async queue({ startsInMs, seed = fixedSeed }: GivenQueue): Promise<string> {
      const saleId = newId();
      const dueAt = new Date(Date.now() + startsInMs - beaconBeforeS * 1000);
      await rows(
        `insert into sale_queue (sale_id, starts_at, ends_at, eligibility, admission_minutes, seed,
           beacon_chain, beacon_round)
         values ($1, clock_timestamp() + $2 * interval '1 ms', now() + interval '1 day', 'ANYONE', 5,
           $3, $4, $5)`,
        [saleId, startsInMs, seed, beacon?.hash ?? null, beacon && roundAt(beacon, dueAt)],
      );
      return saleId;
    },
    /** Joins in one of the processes, in turn. */
    async join(saleId: string, n = 0, customerId = newId(), id = newId()) {
      const process = writes[n % writes.length] as (typeof writes)[0];
      const ticket = await process.join({ saleId, customerId, id }, false);
      if (!ticket) throw new Error('nobody waits any more');
      return ticket;
    },
    /** Makes the time come at which the list closes. */
    listCloses: (saleId: string) =>
      rows(
        `update sale_queue set starts_at = clock_timestamp() + interval '14 s' where sale_id = $1`,
        [saleId],
      ),
    /** Both processes look for queues to close and to draw. */
    draw: () =>
      Promise.all(
        orms.map(async ({ em }) => {
          await closeLists(app, em.fork(), () => false);
          await drawQueues(app, em.fork(), () => false);
        }),
      ),
    async queueOf(saleId: string) {
      const [row] = await rows<{
        seed: Buffer;
        list_count: number | null;
        list_hash: Buffer | null;
        beacon_signature: Buffer | null;
        closed_at: Date | null;
        drawn_at: Date | null;
        next_number: number;
      }>('select * from sale_queue where sale_id = $1', [saleId]);
      if (!row) throw new Error(`no queue of ${saleId}`);
      return row;
    },
    /** The tickets in the order of their draw numbers, then of their numbers. */
    ticketsOf: (saleId: string) =>
      rows<{
        id: string;
        customer_id: string;
        early: boolean;
        draw_number: number | null;
        number: number | null;
        joined_at: Date;
        left_at: Date | null;
      }>('select * from sale_ticket where sale_id = $1 order by draw_number, number, joined_at', [
        saleId,
      ]),
    async close() {
      await disconnect(other);
      await database.close();
    },
  };
  return queues;
}
export type TestQueues = Awaited<ReturnType<typeof openQueues>>;
