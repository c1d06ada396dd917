import type { MikroORM } from '@mikro-orm/postgresql';
import { gaugeOf, type Registry } from '../observability/metrics.js';
import { poolOf } from './connect.js';

/** Exposes the use of the pool: a request that waits for a connection waits for the work of others. */
export function watchPool(orm: MikroORM, registry: Registry): void {
  const connections = {
    name: 'holdfast_database_connections',
    help: 'Connections in the pool, by state: used, idle.',
    label: 'state',
  };
  gaugeOf(registry, connections, () => {
    const { totalCount = 0, idleCount = 0 } = poolOf(orm) ?? {};
    return { used: totalCount - idleCount, idle: idleCount };
  });
  const waiting = {
    name: 'holdfast_database_waiting_requests',
    help: 'Statements and transactions that wait for a connection.',
  };
  gaugeOf(registry, waiting, () => poolOf(orm)?.waitingCount ?? 0);
}
