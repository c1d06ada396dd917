import { randomUUID } from 'node:crypto';
import { graphql } from 'graphql';
import type { Principal } from '../../subgraphs/shared/auth/callers.js';
import type { Identity, Role } from '../../subgraphs/shared/auth/tokens.js';
import { connect, disconnect } from '../../subgraphs/shared/database/connect.js';
import { sql } from '../../subgraphs/shared/database/sql.js';
import { buildFederatedSchema } from '../../subgraphs/shared/graphql/schema.js';
import type { ServiceClient } from '../../subgraphs/shared/http/service-client.js';
import { newId } from '../../subgraphs/shared/ids.js';
import { subgraph } from '../../subgraphs/shop/index.js';
import { databaseSchema } from '../../subgraphs/shop/mikro-orm.config.js';
import { completeChanges } from '../../subgraphs/shop/sale-change/sale-jobs.js';
import type { Reply } from './catalogue.js';
import { createTestDatabases } from './databases.js';
import { createFakeSaleWarehouse } from './fake-sale-warehouse.js';
import { logger } from './stock-engine.js';

export const minutes = (count: number) => new Date(Date.now() + count * 60_000).toISOString();

interface GivenSale {
  readonly sale?: object;
  readonly line?: object;
  readonly offer?: object;
}

/** The shop subgraph without its server, on its own database, beside a fake of the warehouse. */
export async function openSaleShop() {
  const database = await createTestDatabases(['shop']);
  const settings = { name: 'test', url: database.urls.shop, poolMax: 20, logger };
  const orm = await connect(settings, databaseSchema);
  const schema = await buildFederatedSchema(subgraph.source);
  const warehouse = createFakeSaleWarehouse();
  // Every variant exists.
  const product = {
    call: async () => [{ name: 'one', product: { name: 'Thing' } }],
  } as unknown as ServiceClient;
  const app = { product, warehouse: warehouse.client };
  const person = (role: Role): Identity => ({ id: newId(), role, sessionId: newId() });
  const people = {
    vendor: person('VENDOR'),
    otherVendor: person('VENDOR'),
    admin: person('ADMIN'),
    customer: person('CUSTOMER'),
  };

  async function ask(principal: Principal, query: string, variables: object): Promise<Reply> {
    const contextValue = { ...principal, em: orm.em.fork(), app, logger };
    const variableValues = variables as Record<string, unknown>;
    const { data, errors } = await graphql({ schema, source: query, variableValues, contextValue });
    const { code, fields = {} } = errors?.[0]?.extensions ?? {};
    if (errors && !code) throw errors[0]?.originalError ?? errors[0];
    return { data, code: code as string, fields: Object.keys(fields as object) };
  }
  type Who = keyof typeof people | null;
  const askAs = (who: Who, query: string, variables: object = {}) =>
    ask({ caller: 'router', identity: who && people[who] }, query, variables);
  async function must(who: Who, query: string, variables: object = {}) {
    const { data, code, fields } = await askAs(who, query, variables);
    if (code) throw Object.assign(new Error(`${code} ${fields}`), { code, fields });
    return Object.values(data)[0] as { id: string; state: string };
  }
  const query = <T extends object>(text: string, values: unknown[] = []) =>
    sql<T>(orm.em.fork(), text, values);
  const fields = 'id name slug state isChanging startsAt endsAt';
  const refusal =
    '... on SaleNotAllocated { message lines { units least most otherSaleId offer { id } } }';
  const change = (name: string, more = '') =>
    `mutation ($id: UUID!) { it: ${name}(id: $id) { __typename ... on SaleEvent { ${fields} } ${more} } }`;

  const shop = {
    people,
    warehouse,
    app,
    url: database.urls.shop,
    em: () => orm.em.fork(),
    query,
    ask: askAs,
    must,
    /** as another subgraph */
    askAs: (caller: Principal['caller'], text: string, variables: object = {}) =>
      ask({ caller, identity: null }, text, variables),
    async shop(who: 'vendor' | 'otherVendor' = 'vendor', currencyCode = 'USD'): Promise<string> {
      const input = { name: 'S', slug: `s-${randomUUID()}`, currencyCode };
      const text = 'mutation ($input: CreateShopInput!) { createShop(input: $input) { id } }';
      return (await must(who, text, { input })).id;
    },
    async offer(shopId: string, given: object = {}, who: Who = 'admin') {
      const sku = `SKU-${randomUUID().slice(0, 8)}`;
      const text = 'mutation ($input: SetOfferInput!) { setOffer(input: $input) { id } }';
      const input = { shopId, sku, price: '10.00', ...given };
      return { id: (await must(who, text, { input })).id, sku: input.sku, shopId };
    },
    /** Creates a draft; by default it starts in an hour and lasts another one. */
    async sale(shopId: string | null, given: object = {}, who: Who = shopId ? 'vendor' : 'admin') {
      const times = { startsAt: minutes(60), endsAt: minutes(120) };
      const input = { shopId, name: 'Sale', slug: `sale-${randomUUID()}`, ...times, ...given };
      const text = `mutation ($input: CreateSaleInput!) { createSale(input: $input) { ${fields} } }`;
      return (await must(who, text, { input })).id;
    },
    setOffers: (saleId: string, offers: object[], more: object = {}, who: Who = 'vendor') =>
      askAs(
        who,
        `mutation ($input: SetSaleOffersInput!) { it: setSaleOffers(input: $input) {
          __typename ... on SaleEvent { ${fields} }
          ${refusal} } }`,
        { input: { saleId, offers, ...more } },
      ),
    update: (input: object, who: Who = 'vendor') =>
      askAs(
        who,
        `mutation ($input: UpdateSaleInput!) { it: updateSale(input: $input) { ${fields} } }`,
        { input },
      ),
    publish: (id: string, who: Who = 'vendor') =>
      askAs(who, change('publishSale', refusal), { id }),
    pause: (id: string, who: Who = 'vendor') => askAs(who, change('pauseSale'), { id }),
    resume: (id: string, who: Who = 'vendor') => askAs(who, change('resumeSale'), { id }),
    cancel: (id: string, who: Who = 'vendor') => askAs(who, change('cancelSale'), { id }),
    /** A draft of one new offer. */
    async drafted(given: GivenSale = {}) {
      const shopId = await shop.shop();
      const offer = await shop.offer(shopId, given.offer);
      const saleId = await shop.sale(shopId, given.sale);
      const line = { offerId: offer.id, price: '5.00', allocation: 10, ...given.line };
      await shop.setOffers(saleId, [line]);
      return { shopId, offer, saleId, line };
    },
    /** A published sale of one new offer. */
    async published(given: GivenSale = {}) {
      const sale = await shop.drafted(given);
      const { data } = await shop.publish(sale.saleId);
      if (data.it.__typename !== 'SaleEvent') throw new Error(JSON.stringify(data));
      return sale;
    },
    async stateOf(id: string): Promise<string> {
      const text = 'query ($id: UUID!) { sale(id: $id) { state } }';
      return (await must('admin', text, { id })).state;
    },
    /** Moves the window of a sale, as if time had passed. */
    moveWindow: (id: string, startsIn: number, endsIn: number) =>
      query('update sale_event set starts_at = $2, ends_at = $3 where id = $1', [
        id,
        minutes(startsIn),
        minutes(endsIn),
      ]),
    /** What product was sent last of an offer. */
    async eventOf(offerId: string) {
      const [row] = await query<{ version: number; payload: { sale: unknown; price: string } }>(
        `select version, payload from outbox where key = $1 order by position desc limit 1`,
        [offerId],
      );
      return row;
    },
    /** The worker takes up what is left, as if its time had come. */
    async runWorker() {
      await query(`update sale_event set next_attempt_at = now() where step is not null`);
      return completeChanges({ app, em: orm.em.fork(), logger });
    },
    async close() {
      await disconnect(orm);
      await database.drop();
    },
  };
  return shop;
}
export type SaleShop = Awaited<ReturnType<typeof openSaleShop>>;
