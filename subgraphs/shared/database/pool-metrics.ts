import type { MikroORM } from '@mikro-orm/postgresql';
import { Counter, gaugeOf, type Registry } from '../observability/metrics.js';
import { poolOf } from './connect.js';
import { queueOf } from './pool/pool-queue.js';

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
  gaugeOf(registry, waiting, () => queueOf(poolOf(orm))?.length ?? 0);
  new Counter({
    name: `${prefix}_refusals_total`,
    help: `Requests refused before they had a connection of ${pool}, by reason: full, late.`,
    labelNames: ['reason'],
    registers: [registry],
    collect() {
      this.reset();
      const refused = queueOf(poolOf(orm))?.refused ?? {};
      for (const [reason, count] of Object.entries<number>(refused)) this.inc({ reason }, count);
    },
  });
}
