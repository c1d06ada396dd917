import type { EntityManager, MikroORM } from '@mikro-orm/postgresql';
import type { Redis } from 'ioredis';
import type { TopicFrom, TopicTo } from '../contracts/events.js';
import type {
  Caller,
  Config,
  replicaVariables,
  subgraphVariables,
  tokenVariables,
  Variables,
} from './config.js';
import type { Schema } from './database/connect.js';
import type { SubgraphContext } from './graphql/context.js';
import type { SchemaSource } from './graphql/schema.js';
import type { HttpRoute } from './http/route.js';
import type { ServiceClient } from './http/service-client.js';
import type { EventHandlers } from './messaging/apply-events.js';
import type { Logger } from './observability/logger.js';
import type { GaugeReading, ReadGauge, Registry } from './observability/metrics.js';
import type { Service } from './runtime/process.js';

type BaseVariables = ReturnType<typeof subgraphVariables> & typeof tokenVariables;
export type SubgraphVariables = Variables & BaseVariables;
export type BaseConfig = Config<BaseVariables> & Partial<Config<typeof replicaVariables>>;

/** The variables whose values are of a type. */
type VariableOf<V extends Variables, T> = {
  [K in keyof V & string]: Config<V>[K] extends T ? K : never;
}[keyof V & string];

/** The processes whose secrets are among the variables. */
type KnownCaller<V extends Variables> = {
  [C in Caller]: `${Uppercase<C>}_SECRET` extends keyof V ? C : never;
}[Caller];

interface RedisSetting<V extends Variables> {
  /** the variable with its URL; one with several URLs makes a list of connections */
  readonly url: VariableOf<V, string | string[]>;
  /** how long a command may take, in ms */
  readonly commandTimeout?: number;
}
export type RedisSettings<V extends Variables> = Readonly<Record<string, RedisSetting<V>>>;

type RedisConnections<V extends Variables, R extends RedisSettings<V>> = {
  readonly [K in keyof R]: Config<V>[R[K]['url']] extends string ? Redis : Redis[];
};

/** What the application object of a subgraph is made from. */
export interface SubgraphParts<V extends Variables, S extends string, R> {
  readonly config: Config<V>;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly orm: MikroORM;
  /** the connections of subscriptions: a pool of their own with `feedPoolMax`, else those of `orm` */
  readonly feedOrm: MikroORM;
  readonly services: Readonly<Record<S, ServiceClient>>;
  readonly redis: R;
  /** Adds a step to the end of the process; steps run in the reverse order. */
  onStop(step: () => Promise<unknown>): void;
}

interface Running<A> {
  readonly app: A;
  /** a new fork */
  readonly em: EntityManager;
  readonly logger: Logger;
}

interface WorkerDefinition<A> {
  readonly everyMs: number;
  /** how many runs may be active, for work that claims its items; 1 by default */
  readonly parallelMax?: number;
  /** Registers `wake`, to be called when there is work to do before the interval is over. */
  wakenBy?(orm: MikroORM, wake: () => void): void;
  /** Long work checks `isStopping` before each item. */
  run(running: Running<A>, isStopping: () => boolean): Promise<unknown>;
}

interface GaugeDefinition<A> extends ReadGauge {
  read(running: Running<A>): GaugeReading | Promise<GaugeReading>;
}

/** The table of contents of a subgraph. */
export interface SubgraphDefinition<
  N extends Caller,
  V extends SubgraphVariables,
  S extends string,
  R extends RedisSettings<V>,
  A,
> {
  readonly name: N & KnownCaller<V>;
  readonly variables: V;
  readonly databaseSchema: Schema;
  /** how long a statement waits for each lock, in ms; by default as long as it may run */
  readonly lockTimeoutMs?: number;
  /** the variable with the size of the pool that subscriptions use instead of that of requests */
  readonly feedPoolMax?: VariableOf<V, number>;
  readonly source: SchemaSource;
  /** the processes that may call it */
  readonly callers: ReadonlyArray<KnownCaller<V>>;
  /** services that it calls: name → the variable with the URL */
  readonly services?: Readonly<Record<S, VariableOf<V, string>>>;
  /** role → connection */
  readonly redis?: R;
  /** Makes what the process keeps for its lifetime; by default null. */
  app?(parts: SubgraphParts<V, S, RedisConnections<V, R>>): A | Promise<A>;
  /** events that it takes: topic → handler */
  readonly consumes: Required<Pick<EventHandlers<SubgraphContext<A>>, TopicTo<N>>>;
  /** events that it sends: topic → the service that takes it */
  readonly emits: Readonly<Record<TopicFrom<N>, S>>;
  /** name → worker */
  readonly workers?: Readonly<Record<string, WorkerDefinition<A>>>;
  /** HTTP routes that act for a user */
  readonly httpRoutes?: ReadonlyArray<HttpRoute<SubgraphContext<A>>>;
  /** JSON routes for other processes: path → answer */
  readonly routes?: Readonly<Record<string, (app: A) => unknown>>;
  /** the processes that may call `routes`, beside `callers` */
  readonly routeCallers?: ReadonlyArray<KnownCaller<V>>;
  readonly gauges?: ReadonlyArray<GaugeDefinition<A>>;
}

export interface Subgraph {
  /** the schema with its inbox, for composition */
  readonly source: SchemaSource;
  /** @throws ConfigError */
  start(env?: NodeJS.ProcessEnv): Promise<Service>;
}
