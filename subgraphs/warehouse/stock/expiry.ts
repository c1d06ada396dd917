import type { Redis } from 'ioredis';
import { sql } from '../../shared/database.js';
import { startWorker } from '../../shared/worker.js';
import type { StockEngine } from '../context.js';
import { expireReservations } from './expire-reservations.js';
import { type Hold, orderOfTimer } from './hold-timers.js';

const gatherMs = 10;
const batchMax = 200;
// How long the keyspace event may take before the sweeper does without it.
const sweepGraceMs = 2000;
const rearmMax = 100_000;

export interface ExpiryOptions {
  readonly engine: StockEngine;
  /** the connection to the Redis database of the timers, for commands */
  readonly timers: Redis;
  /** a connection to the same database, for its events alone */
  readonly events: Redis;
  readonly sweepEveryMs: number;
}

/**
 * Releases holds when their time is up, until stopped. Redis's keyspace events hurry it; a sweeper
 * over `expires_at` finds what Redis lost, so that no hold outlives its time by more than 5 s while
 * PostgreSQL runs.
 */
export function startExpiry(options: ExpiryOptions): { stop(): Promise<void> } {
  const { engine } = options;
  const gathered = new Set<string>();
  let gathering: NodeJS.Timeout | undefined;
  let working = Promise.resolve();

  const expire = (orderIds: string[]) => {
    working = working
      .then(async () => {
        if (orderIds.length > 0) await expireReservations(engine, orderIds);
      })
      .catch((error) => engine.logger.error({ err: error }, 'holds could not be expired'));
    return working;
  };
  const flush = () => {
    gathering = undefined;
    const orderIds = [...gathered];
    gathered.clear();
    for (let at = 0; at < orderIds.length; at += batchMax) {
      void expire(orderIds.slice(at, at + batchMax));
    }
  };
  listen(options, (orderId) => {
    gathered.add(orderId);
    gathering ??= setTimeout(flush, gatherMs);
  });

  const sweeper = startWorker(
    'sweep of due holds',
    options.sweepEveryMs,
    engine.logger,
    async (isStopping) => {
      // Batch after batch, as long as there is more and it gets less.
      for (let ended = batchMax; ended > 0 && !isStopping(); ) {
        ended = (await expireReservations(engine, await overdue(engine))).length;
      }
    },
  );

  return {
    async stop() {
      await sweeper.stop();
      clearTimeout(gathering);
      await working;
    },
  };
}

/** Asks for the events of expired keys, at start and whenever Redis was away, and sets lost keys. */
function listen({ engine, timers, events }: ExpiryOptions, due: (orderId: string) => void) {
  const prepare = async () => {
    try {
      await timers.config('SET', 'notify-keyspace-events', 'Ex');
      engine.timers.arm(await heldNow(engine));
    } catch (error) {
      engine.logger.error(
        { reason: (error as Error).message },
        'Redis gives no keyspace events (notify-keyspace-events Ex); holds are released by the sweeper',
      );
    }
  };
  const channel = `__keyevent@${timers.options.db ?? 0}__:expired`;
  const subscribe = () => events.subscribe(channel).catch(() => {});
  if (timers.status === 'ready') void prepare();
  timers.on('ready', prepare);
  if (events.status === 'ready') void subscribe();
  events.on('ready', subscribe);
  events.on('message', (from, key) => {
    const orderId = from === channel ? orderOfTimer(key) : null;
    if (orderId) due(orderId);
  });
}

async function overdue(engine: StockEngine): Promise<string[]> {
  const rows = await sql<{ orderId: string }>(
    engine.orm.em.fork(),
    `select order_id as "orderId" from reservation
     where state = 'HELD' and expires_at < now() - $1 * interval '1 ms'
     order by expires_at limit $2`,
    [sweepGraceMs, batchMax],
  );
  return rows.map(({ orderId }) => orderId);
}

async function heldNow(engine: StockEngine): Promise<Hold[]> {
  const rows = await sql<{ orderId: string; expiresAt: string }>(
    engine.orm.em.fork(),
    `select order_id as "orderId", expires_at as "expiresAt" from reservation
     where state = 'HELD' order by expires_at limit $1`,
    [rearmMax],
  );
  return rows.map(({ orderId, expiresAt }) => ({ orderId, expiresAt: new Date(expiresAt) }));
}
