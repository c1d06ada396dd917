import { randomUUID } from 'node:crypto';
import { graphql } from 'graphql';
import pg from 'pg';
import type { PayloadOf } from '../../subgraphs/contracts/events.js';
import { subgraph } from '../../subgraphs/product/index.js';
import { databaseSchema } from '../../subgraphs/product/mikro-orm.config.js';
import type { Principal } from '../../subgraphs/shared/auth/callers.js';
import type { Identity, Role } from '../../subgraphs/shared/auth/tokens.js';
import { connect, disconnect } from '../../subgraphs/shared/database/connect.js';
import { sql } from '../../subgraphs/shared/database/sql.js';
import { buildFederatedSchema } from '../../subgraphs/shared/graphql/schema.js';
import { newId } from '../../subgraphs/shared/ids.js';
import { createTestDatabases } from './databases.js';
import { isConnectionCheck } from './record-statements.js';
import { logger } from './stock-engine.js';

type OfferChanged = PayloadOf<'shop.offer.changed'>;
type StockChanged = PayloadOf<'warehouse.stock.changed'>;

export interface TestEvent {
  readonly id?: string;
  readonly topic: 'shop.offer.changed' | 'warehouse.stock.changed';
  readonly version: number;
  readonly payload: object;
}

export interface Reply {
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects
  readonly data: any;
  /** the code of the first error */
  readonly code?: string | undefined;
  /** the inputs that the error names */
  readonly fields: readonly string[];
}

/** The product subgraph without its server, on its own database. */
export async function openCatalogue() {
  const database = await createTestDatabases(['product']);
  const settings = { name: 'test', url: database.urls.product, poolMax: 10, logger };
  const orm = await connect(settings, databaseSchema);
  let sent = 0;
  pg.Client.prototype.query = new Proxy(pg.Client.prototype.query, {
    apply(target, self, args) {
      if (!isConnectionCheck(args)) sent += 1;
      return Reflect.apply(target, self, args);
    },
  });
  const schema = await buildFederatedSchema(subgraph.source);
  const person = (role: Role): Identity => ({ id: newId(), role, sessionId: newId() });
  const people = {
    vendor: person('VENDOR'),
    otherVendor: person('VENDOR'),
    admin: person('ADMIN'),
  };

  async function ask(principal: Principal, query: string, variables: object): Promise<Reply> {
    const contextValue = { ...principal, em: orm.em.fork(), app: null, logger };
    const variableValues = variables as Record<string, unknown>;
    const { data, errors } = await graphql({ schema, source: query, variableValues, contextValue });
    const { code, fields = {} } = errors?.[0]?.extensions ?? {};
    if (errors && !code) throw errors[0]?.originalError ?? errors[0];
    return { data, code: code as string, fields: Object.keys(fields as object) };
  }
  const as =
    (identity: Identity | null) =>
    (query: string, variables: object = {}) =>
      ask({ caller: 'router', identity }, query, variables);
  const must = async (reply: Promise<Reply>) => {
    const { data, code, fields } = await reply;
    if (code) throw new Error(`${code} ${fields}`);
    return Object.values(data)[0] as never;
  };

  const catalogue = {
    people,
    url: database.urls.product,
    /** as the router, without a user */
    ask: as(null),
    vendor: as(people.vendor),
    otherVendor: as(people.otherVendor),
    admin: as(people.admin),
    /** as another subgraph */
    askAs: (caller: Principal['caller'], query: string, variables: object = {}) =>
      ask({ caller, identity: null }, query, variables),
    /** @returns a function that returns the number of statements sent since */
    countStatements() {
      const before = sent;
      return () => sent - before;
    },
    /** of its database */
    em: () => orm.em.fork(),
    query: <T extends object>(text: string, values: unknown[] = []) =>
      sql<T>(orm.em.fork(), text, values),
    /** @returns the id of a new category */
    async category(parentId: string | null = null): Promise<string> {
      const input = { name: `Category ${randomUUID()}`, parentId };
      const { id } = await must(
        catalogue.admin(
          'mutation ($input: CreateCategoryInput!) { createCategory(input: $input) { id } }',
          { input },
        ),
      );
      return id;
    },
    /** A new product of the vendor, with a number of variants. */
    async product(fields: object = {}, variants = 1) {
      const tail = randomUUID().slice(0, 8);
      const skus = Array.from({ length: variants }, (_, n) => `SKU-${tail}-${n}`);
      const input = {
        name: `Product ${tail}`,
        description: 'Something',
        variants: skus.map((sku) => ({ sku, name: `the ${sku}` })),
        ...fields,
      };
      const categoryId = 'categoryId' in input ? input.categoryId : await catalogue.category();
      const { id } = await must(
        catalogue.vendor(
          'mutation ($input: CreateProductInput!) { createProduct(input: $input) { id } }',
          { input: { ...input, categoryId } },
        ),
      );
      return { id: id as string, skus, sku: skus[0] as string, name: input.name };
    },
    /**
     * Delivers events as the relay of another subgraph does.
     *
     * @returns the number of accepted events
     */
    async deliver(caller: 'shop' | 'warehouse', ...events: TestEvent[]): Promise<number> {
      const { accepted } = await must(
        catalogue.askAs(
          caller,
          'mutation ($events: [OutboxEvent!]!) { deliverToProduct(events: $events) { accepted } }',
          {
            events: events.map(({ topic, version, payload, id = newId() }) => {
              return { id, topic, key: id, version, payload: JSON.stringify(payload) };
            }),
          },
        ),
      );
      return (accepted as string[]).length;
    },
    /** An offer of a shop, from an event of the shop subgraph and one of the warehouse subgraph. */
    async offer(sku: string, fields: Partial<OfferChanged & StockChanged> = {}) {
      const { inStock = true, ...given } = fields;
      const offer: OfferChanged = {
        offerId: newId(),
        shopId: newId(),
        sku,
        price: '10.00',
        currencyCode: 'USD',
        active: true,
        ...given,
      };
      const { shopId } = offer;
      await catalogue.deliver('shop', { topic: 'shop.offer.changed', version: 1, payload: offer });
      const payload: StockChanged = { shopId, sku, inStock };
      await catalogue.deliver('warehouse', {
        topic: 'warehouse.stock.changed',
        version: 1,
        payload,
      });
      return offer;
    },
    async close() {
      await disconnect(orm);
      await database.drop();
    },
  };
  return catalogue;
}
export type Catalogue = Awaited<ReturnType<typeof openCatalogue>>;
