import { freePortRange, startTestRedis, type TestRedis } from '../harness/databases.js';
import { type Link, type Manner, openLink } from '../harness/network-link.js';
import type { ProcessSettings, Servers } from '../harness/process-system.js';

/** A Redis with a server that takes its place in a failover, and the links that lead to the primary. */
interface Failover {
  primary: TestRedis;
  standby: TestRedis;
  readonly links: readonly Link[];
}

export const pairs = [
  'order and warehouse',
  'order and its PostgreSQL',
  'router and order',
  'warehouse and its PostgreSQL',
  'warehouse and Redis',
] as const;
export type Pair = (typeof pairs)[number];

/** The network between the processes of a system and what they call. */
export async function openNetwork({ databases, redis, lockRedis, ports }: Servers) {
  let port = await freePortRange();
  const link = (url: string) => openLink(url, port++);
  const graphqlAt = (of: 'order' | 'warehouse') => `http://127.0.0.1:${ports.ports[of]}/graphql`;
  const toWarehouse = await link(graphqlAt('warehouse'));
  const toOrder = await link(graphqlAt('order'));
  const ofRouter = await link(graphqlAt('order'));
  const orderDatabase = await link(databases.order);
  const warehouseDatabase = await link(databases.warehouse);
  const timers = await link(redis.url);
  const locks = await link(lockRedis.url);
  /** of all but warehouse */
  const others = await link(redis.url);
  const linksOf: Record<Pair, readonly Link[]> = {
    'order and warehouse': [toWarehouse, toOrder],
    'order and its PostgreSQL': [orderDatabase],
    'router and order': [ofRouter],
    'warehouse and its PostgreSQL': [warehouseDatabase],
    'warehouse and Redis': [timers, locks],
  };
  const [standby, lockStandby] = await Promise.all([startTestRedis(), startTestRedis()]);
  const failovers: readonly [Failover, Failover] = [
    { primary: redis, standby, links: [timers, others] },
    { primary: lockRedis, standby: lockStandby, links: [locks] },
  ];
  const at = ({ url }: Link, database: number) => `${url}/${database}`;
  const settings: ProcessSettings = {
    user: { OTP_REDIS_URL: at(others, 3), EVENTS_REDIS_URL: at(others, 0) },
    order: {
      WAREHOUSE_URL: toWarehouse.url,
      DATABASE_URL: orderDatabase.url,
      EVENTS_REDIS_URL: at(others, 0),
    },
    warehouse: {
      ORDER_URL: toOrder.url,
      DATABASE_URL: warehouseDatabase.url,
      TIMER_REDIS_URL: at(timers, 1),
      LOCK_REDIS_URLS: locks.url,
    },
    router: {
      ORDER_URL: ofRouter.url,
      SUBGRAPH_URL_ORDER: ofRouter.url,
      RATE_LIMIT_REDIS_URL: at(others, 4),
      EVENTS_REDIS_URL: at(others, 0),
    },
  };
  return {
    settings,
    /** the primary of everything but the locks */
    redis: () => failovers[0].primary,
    /** the only node of the locks */
    lockNode: () => failovers[1].primary,
    async become(pair: Pair, manner: Manner): Promise<void> {
      for (const each of linksOf[pair]) await each.become(manner);
    },
    /** The first half of a failover: the primaries take no writes any more. */
    async demote(): Promise<void> {
      for (const { primary, standby: next } of failovers) {
        await next.promote();
        await primary.demote();
      }
    },
    /** The second half: addresses lead to the new primaries, and open connections still to the old ones. */
    moveAddresses(): void {
      for (const each of failovers) {
        [each.primary, each.standby] = [each.standby, each.primary];
        for (const { moveTo } of each.links) moveTo(each.primary.url);
      }
    },
    async stop(): Promise<void> {
      const servers = [standby, lockStandby];
      await Promise.all(servers.map((server) => server.stop()));
      const links = [...Object.values(linksOf).flat(), others];
      await Promise.all(links.map((each) => each.stop()));
    },
  };
}
export type Network = Awaited<ReturnType<typeof openNetwork>>;
