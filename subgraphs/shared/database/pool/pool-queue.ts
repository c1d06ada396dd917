import type pg from 'pg';
import { type RequestTrace, requestTrace } from '../../observability/request-context.js';
import { deadlines } from '../../resilience/deadlines.js';

export interface PoolQueueLimits {
  /** requests that wait for their first connection; one more is refused at once */
  readonly waitingMax: number;
  /** how long a request waits for its first connection */
  readonly waitMaxMs: number;
  /** connections that client queries may use at the same time */
  readonly readsMax: number;
}

/** @param poolMax connections in the pool */
export const poolQueueLimits = (poolMax: number): PoolQueueLimits => ({
  waitingMax: 500,
  waitMaxMs: 600,
  // The rest is for mutations, the calls of other subgraphs and workers, which slow queries must not stop.
  readsMax: Math.max(1, poolMax - Math.ceil(poolMax / 4)),
});

const tooManyConnections = '53300';
const busyMessage = 'no connection of the pool is free';

/**
 * No connection became free in time, or too many requests wait: no statement was sent. It has the code that
 * PostgreSQL uses for a connection that it refuses, so that it is handled in the same way.
 */
export class PoolBusy extends Error {
  readonly code = tooManyConnections;

  /** @param isBegun whether the request had a connection before, so that it failed half-way */
  constructor(
    readonly reason: PoolRefusal,
    readonly isBegun: boolean,
  ) {
    super(busyMessage);
  }
}

/** Whether a request was refused before it did anything; also of the error that MikroORM makes of it. */
export const isRefusedByPool = (error: unknown): boolean =>
  error instanceof Error &&
  (error as { code?: unknown }).code === tooManyConnections &&
  error.message.includes(busyMessage) &&
  (error as { isBegun?: unknown }).isBegun === false;

export type PoolRefusal = 'full' | 'late';

interface Waiter {
  readonly isRead: boolean;
  deadlineMs(): number;
  expire(): void;
  start(): void;
}

export interface PoolQueue {
  /** statements and transactions that wait for a connection */
  readonly length: number;
  /** requests that were refused since the start */
  readonly refused: Readonly<Record<PoolRefusal, number>>;
}

const queues = new WeakMap<pg.Pool, PoolQueue>();

export const queueOf = (pool: pg.Pool | undefined): PoolQueue | undefined =>
  pool && queues.get(pool);

/**
 * Puts a bounded queue in front of a pool, in which each waits in turn by its kind:
 *
 * 1. Work that must not be refused half-way: that of a request that has had a connection before, of a batch
 *    (`asBegun`), and of workers. It waits for `connectionTimeoutMillis` of the pool at most.
 * 2. The first connection of a request: a mutation, or a call of another subgraph.
 * 3. The first connection of a client's query. Queries have at most `readsMax` connections at a time, in each kind.
 *
 * The second and third wait for `waitMaxMs` at most. Must be called before the first connection.
 */
export function queueForPool(pool: pg.Pool, limits: PoolQueueLimits): void {
  const connectNow = pool.connect.bind(pool) as () => Promise<pg.PoolClient>;
  const max = pool.options.max ?? Number.POSITIVE_INFINITY;
  const begun: Waiter[] = [];
  const begunReads: Waiter[] = [];
  const first: Waiter[] = [];
  const firstReads: Waiter[] = [];
  /** connections in use → whether a client's query has them */
  const held = new Map<pg.PoolClient, boolean>();
  const refused = { full: 0, late: 0 };
  let used = 0;
  let reads = 0;

  const canStart = (isRead: boolean) => used < max && (!isRead || reads < limits.readsMax);
  const next = (): Waiter | undefined => {
    const lanes = [begun, begunReads, first, firstReads];
    return lanes.find(([waiter]) => waiter && canStart(waiter.isRead))?.shift();
  };
  function startWaiting(): void {
    for (let waiter = next(); waiter; waiter = next()) {
      deadlines.delete(waiter);
      waiter.start();
    }
  }
  function free(isRead: boolean): void {
    used -= 1;
    if (isRead) reads -= 1;
    startWaiting();
  }
  async function open(isRead: boolean, trace: RequestTrace | undefined): Promise<pg.PoolClient> {
    used += 1;
    if (isRead) reads += 1;
    try {
      const client = await connectNow();
      held.set(client, isRead);
      if (trace) trace.isBegun = true;
      return client;
    } catch (error) {
      free(isRead);
      throw error;
    }
  }
  function refuse(reason: PoolRefusal, isBegun: boolean): PoolBusy {
    refused[reason] += 1;
    return new PoolBusy(reason, isBegun);
  }

  pool.on('release', (_error, client) => {
    const isRead = held.get(client);
    if (held.delete(client)) free(isRead === true);
  });

  async function connect(): Promise<pg.PoolClient> {
    const trace = requestTrace.getStore();
    const isRead = trace?.isRead === true;
    const isBegun = !trace || trace.isBegun === true;
    if (canStart(isRead)) return open(isRead, trace);
    if (!isBegun && first.length + firstReads.length >= limits.waitingMax)
      throw refuse('full', false);
    const [lane, waitMaxMs] = isBegun
      ? [isRead ? begunReads : begun, pool.options.connectionTimeoutMillis || Infinity]
      : [isRead ? firstReads : first, limits.waitMaxMs];
    const deadlineMs = performance.now() + waitMaxMs;
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        isRead,
        deadlineMs: () => deadlineMs,
        expire() {
          lane.splice(lane.indexOf(waiter), 1);
          reject(refuse('late', isBegun));
        },
        start: () => open(isRead, trace).then(resolve, reject),
      };
      deadlines.add(waiter);
      lane.push(waiter);
    });
  }

  /** pg's own passes a callback to `connect`. */
  async function query(...args: Parameters<pg.PoolClient['query']>): Promise<unknown> {
    const client = await connect();
    try {
      return await client.query(...args);
    } finally {
      client.release();
    }
  }

  Object.assign(pool, { connect, query });
  queues.set(pool, {
    get length() {
      return begun.length + begunReads.length + first.length + firstReads.length;
    },
    refused,
  });
}
