import type { MikroORM } from '@mikro-orm/postgresql';
import { gaugeOf, type Registry } from '../observability/metrics.js';
import { poolOf } from './connect.js';

/** Exposes the use of the pool: a request that waits for a connection waits for the work of others. */
export const watchPool = (orm: MikroORM, registry: Registry) =>
  watch(orm, registry, 'holdfast_database', 'the pool');

/** As `watchPool`, for the pool of subscriptions. */
export const watchFeedPool = (orm: MikroORM, registry: Registry) =>
  watch(orm, registry, 'holdfast_feed_database', 'the pool of subscriptions');

function watch(orm: MikroORM, registry: Registry, prefix: string, pool: string): void {
  const connections = {
    name: `${prefix}_connections`,
    help: `Connections in ${pool}, by state: used, idle.`,
    label: 'state',
  };
  gaugeOf(registry, connections, () => {
    const { totalCount = 0, idleCount = 0 } = poolOf(orm) ?? {};
    return { used: totalCount - idleCount, idle: idleCount };
  });
  const waiting = {
    name: `${prefix}_waiting_requests`,
    help: `Statements and transactions that wait for a connection of ${pool}.`,
  };
  gaugeOf(registry, waiting, () => poolOf(orm)?.waitingCount ?? 0);
}
