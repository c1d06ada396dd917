import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../../shared/database/sql.js';
import type { Logger } from '../../../shared/observability/logger.js';
import type { Beacon } from '../beacon/beacon-chain.js';
import { readBeacon } from '../beacon/read-beacon.js';
import { closeList } from '../close-list.js';
import { beaconBeforeS, listClosesSql } from '../queue-times.js';
import { drawQueue } from './draw-queue.js';

export interface DrawApp {
  readonly beacon: Beacon | null;
  readonly databaseUrl: string;
  readonly logger: Logger;
}

const queuesMax = 100;

interface Closed {
  readonly saleId: string;
  /** null: the draw needs none */
  readonly round: number | null;
  readonly chain: string | null;
}

/** Closes the lists whose time has come. Any process may do it, and several at once. */
export async function closeLists(
  app: DrawApp,
  em: EntityManager,
  isStopping: () => boolean,
): Promise<void> {
  for (const saleId of await findDue(em)) {
    if (isStopping()) return;
    await closeList(em, saleId).catch((error) => {
      app.logger.error({ err: error, saleId }, 'list of a queue could not be closed');
    });
  }
}

/**
 * Draws the queues whose lists are closed, and which no other process draws. One whose beacon is late is left to the
 * next run.
 */
export async function drawQueues(
  app: DrawApp,
  em: EntityManager,
  isStopping: () => boolean,
): Promise<void> {
  for (const queue of await findClosed(em)) {
    if (isStopping()) return;
    await drawWithBeacon(app, queue).catch((error) => {
      app.logger.error({ err: error, saleId: queue.saleId }, 'queue could not be drawn');
    });
  }
}

async function drawWithBeacon(app: DrawApp, { saleId, chain, round }: Closed): Promise<void> {
  const { beacon, databaseUrl, logger } = app;
  if (round === null) return drawQueue(databaseUrl, saleId, null);
  if (beacon?.hash !== chain) {
    logger.error({ saleId, chain }, 'queue waits for a beacon that is not configured');
    return;
  }
  const signature = await readBeacon(beacon as Beacon, round, logger);
  if (signature) await drawQueue(databaseUrl, saleId, signature);
}

/** Served by `sale_queue_undrawn`. */
async function findDue(em: EntityManager): Promise<string[]> {
  const rows = await sql<{ id: string }>(
    em,
    `select sale_id as id from sale_queue q
     where drawn_at is null and closed_at is null and ended_at is null
       and ${listClosesSql('q')} <= clock_timestamp()
     order by starts_at limit ${queuesMax}`,
  );
  return rows.map(({ id }) => id);
}

/** A list without tickets needs no beacon. Queues that are over need no draw, and would keep others waiting. */
async function findClosed(em: EntityManager): Promise<Closed[]> {
  const needsBeacon = 'q.beacon_round is not null and q.list_count > 0';
  const rows = await sql<{ saleId: string; chain: string | null; round: string | null }>(
    em,
    `select q.sale_id as "saleId", q.beacon_chain as chain,
       case when ${needsBeacon} then q.beacon_round end as round
     from sale_queue q
     where q.drawn_at is null and q.closed_at is not null and q.ended_at is null and (not (${needsBeacon})
       or q.starts_at - interval '${beaconBeforeS} s' <= clock_timestamp())
     order by q.starts_at limit ${queuesMax}`,
  );
  return rows.map(({ saleId, chain, round }) => {
    return { saleId, chain, round: round === null ? null : Number(round) };
  });
}
