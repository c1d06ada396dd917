import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSchema, parse, specifiedRules, validate } from 'graphql';
import { root } from '../ops/subgraph-names.js';
import { examplesDocument, examplesOf } from '../router/explorer/examples.js';
import { type KnownOperation, readKnownOperations } from '../router/operations/known-operations.js';
import { overWebSocket } from './harness/live.js';
import { logIn } from './harness/people.js';
import { isPaymentPending, retry } from './harness/retry.js';
import { startRouterBeside, stopRoutersBeside } from './harness/router-beside.js';
import { postGraphQL, startSystem, type TestSystem } from './harness/system.js';
import { eventually } from './harness/wait.js';

const operations = readKnownOperations();
const schema = buildSchema(readFileSync(join(root, 'schema/api.graphql'), 'utf8'));
const until = (holds: () => boolean) => eventually(async () => holds(), Boolean);
const inBrowser = { accept: 'text/html' };
/** Examples have times ahead, of when they were read. */
const withoutTimes = (examples: unknown) =>
  JSON.stringify(examples).replace(/\d{4}-[\d:.T-]+Z/g, 'a time');
const named = (name: string) =>
  operations.find((each) => each.name === name) as KnownOperation & { query: string };

describe('the explorers', () => {
  let system: TestSystem;
  beforeAll(async () => {
    system = await startSystem();
  });
  afterEach(stopRoutersBeside);
  afterAll(() => system.stop());

  /** What a subscription without a token receives first; it may be its end. */
  async function firstOf(query: string, variables: Record<string, unknown>) {
    const client = overWebSocket(system.url);
    const { seen, ended } = client.subscribe(query, variables);
    const first = await eventually(
      async () => seen[0] ?? (ended() && { errors: ended() }),
      Boolean,
    );
    client.close();
    return first as { errors?: { extensions?: { code?: string } }[] };
  }

  const at = (path: string, headers: Record<string, string> = {}) =>
    fetch(new URL(path, system.url), { headers });

  it('serve GraphiQL with all its files from the router', async () => {
    const page = await at('/graphiql');
    const html = await page.text();
    expect(page.status).toBe(200);
    expect(page.headers.get('cache-control')).toBe('no-cache');
    expect(page.headers.get('content-security-policy')).not.toContain('://');
    const parts = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, part]) => part as string);
    expect(parts.filter((part) => part.startsWith('/graphiql/'))).toHaveLength(2);
    expect(parts.filter((part) => part.includes('://'))).toEqual([]);
    for (const part of parts.filter((each) => each.startsWith('/'))) {
      const { status, headers } = await at(part, { 'accept-encoding': 'gzip' });
      expect(status).toBe(200);
      expect(headers.get('content-encoding')).toBe('gzip');
      expect(headers.get('cache-control')).toContain('immutable');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    }
  });

  it('serve the examples to GraphiQL, one for each tab', async () => {
    const reply = await at('/graphiql/examples.json');
    const examples = (await reply.json()) as ReturnType<typeof examplesOf>;
    expect(withoutTimes(examples)).toEqual(withoutTimes(examplesOf(operations)));
    expect(examples[0]?.query).toContain('query Browse');
    expect(JSON.stringify(examples)).not.toContain('<accessToken>');
  });

  it('serve nothing else below /graphiql', async () => {
    for (const path of ['/graphiql/none.js', '/graphiql/../package.json', '/graphiqlx']) {
      expect((await at(path)).status).toBe(404);
    }
    const posted = await fetch(new URL('/graphiql', system.url), { method: 'POST' });
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  it('serve Apollo Sandbox with the examples to a browser', async () => {
    const html = await (await at('/graphql', inBrowser)).text();
    expect(html).toContain('EmbeddedSandbox');
    for (const { name } of operations) expect(html).toContain(` ${name}`);
    expect(html).toContain('"identifier":"ana@example.com"');
    expect(html).toContain('"runTelemetry":false');
  });

  it('are not served if the schema is hidden', async () => {
    const router = await startRouterBeside(system, { INTROSPECTION: 'false' });
    for (const path of ['/graphiql', '/graphiql/', '/graphiql/examples.json']) {
      expect((await fetch(`${router.url}${path}`)).status).toBe(404);
    }
    const reply = await fetch(router.graphqlUrl, { headers: inBrowser });
    expect(await reply.text()).not.toContain('Sandbox');
  });

  it('have one value for each variable in all examples', () => {
    const values = new Map<string, unknown>();
    for (const { variables } of operations) {
      for (const [name, value] of Object.entries(variables)) {
        expect(values.get(name) ?? value).toEqual(value);
        values.set(name, value);
      }
    }
  });

  it('have examples that are valid, each alone and all together', async () => {
    const { document, variables } = examplesDocument(operations);
    expect(validate(schema, parse(document), specifiedRules)).toEqual([]);
    for (const { query } of operations) expect(validate(schema, parse(query))).toEqual([]);
    const body = JSON.stringify({ query: document, variables, operationName: 'Browse' });
    const headers = { 'content-type': 'application/json' };
    const reply = await fetch(system.url, { method: 'POST', headers, body });
    expect(((await reply.json()) as { errors?: unknown }).errors).toBeUndefined();
  });

  it('do not spend rate limits on the example login when a router starts', async () => {
    const router = await startRouterBeside(system, {}, { identity: 1, login: 1 });
    const { query, variables } = named('Login');
    const reply = await postGraphQL(router.graphqlUrl, query, variables);
    expect(reply.data.login.__typename).toBe('Session');
  });

  const executed = new Set<string>();
  async function run(name: string, as?: string, change: object = {}) {
    executed.add(name);
    const { query, variables } = named(name);
    const send = () => system.graphql(query, { ...variables, ...change }, as);
    const isRepeatable = ['Checkout', 'PayOrder'].includes(name);
    const { data, errors } = await (isRepeatable ? retry(send, isPaymentPending) : send());
    expect(errors).toBeUndefined();
    return data;
  }
  /** The sale that the examples make, in an hour. @returns its id */
  const publishSale = async () => {
    const { token } = await logIn(system, 'vera');
    const saleId: string = (await run('CreateSale', token)).createSale.id;
    const saleOffers = { ...(named('SetSaleOffers').variables.saleOffers as object), saleId };
    const { setSaleOffers } = await run('SetSaleOffers', token, { saleOffers });
    expect(setSaleOffers).toMatchObject({ __typename: 'SaleEvent', id: saleId });
    const { publishSale } = await run('PublishSale', token, { saleId });
    expect(publishSale).toMatchObject({ __typename: 'SaleEvent', id: saleId });
    return saleId;
  };
  let published: Promise<string> | undefined;
  const publishedSale = () => {
    published ??= publishSale();
    return published;
  };

  it('have examples that say exactly when they need a log-in', async () => {
    const needsLogin = /^# Needs a log-in( as vera@example\.com)?: run Login first/m;
    const ofSale = { saleId: await publishedSale() };
    for (const { name, query, variables } of operations.filter(
      ({ name }) => name !== 'LiveStock',
    )) {
      const { errors = [] } = /^subscription/m.test(query)
        ? await firstOf(query, { ...variables, ...ofSale })
        : await system.graphql(query, { ...variables, ...ofSale });
      const codes = errors.map(({ extensions }) => extensions?.code);
      expect([name, ...codes]).toEqual(needsLogin.test(query) ? [name, 'UNAUTHENTICATED'] : [name]);
    }
  });

  it('have comments that fit into the editor', () => {
    const comments = operations.flatMap(({ query }) => query.match(/^# (?!variables:).*$/gm) ?? []);
    expect(comments.filter(({ length }) => length > 55)).toEqual([]);
  });

  it('have examples that lead through a first visit, each executed unchanged', async () => {
    const { token } = await logIn(system, 'ana');
    const vera = await logIn(system, 'vera');
    const anonymous = overWebSocket(system.url);
    const stock = anonymous.subscribe(named('LiveStock').query, named('LiveStock').variables);
    executed.add('LiveStock');
    await until(() => stock.seen.length >= 2);

    expect((await run('Browse')).products.edges).not.toHaveLength(0);
    expect((await run('ProductPage')).product.variants).not.toHaveLength(0);
    expect((await run('Login')).login.__typename).toBe('Session');
    expect((await run('AddToCart', token)).addToCart.items).toHaveLength(1);
    expect((await run('Cart', token)).cart.items[0].offer.availability.available).toBe(100);
    const { order } = (await run('Checkout', token)).checkout;
    await until(() => stock.seen.some(({ data }) => data?.stockChanged?.available === 99));

    const own = overWebSocket(system.url, token);
    const changes = own.subscribe(named('OrderChanged').query, { orderId: order.id });
    executed.add('OrderChanged');
    await until(() => changes.seen[0]?.data?.orderChanged.status === 'PENDING');
    const payment = { ...(named('PayOrder').variables.payment as object), orderId: order.id };
    const paid = await run('PayOrder', token, { payment });
    expect(paid.payOrder.__typename).toBe('PaymentSuccess');
    await until(() => changes.seen.at(-1)?.data?.orderChanged.status === 'CONFIRMED');

    expect((await run('Orders', token)).orders.edges).toHaveLength(1);
    expect((await run('ShopStock', vera.token)).shop.warehouses.edges).not.toHaveLength(0);
    expect((await run('ReceiveStock', vera.token)).receiveStock.onHand).toBeGreaterThan(60);

    const saleId = await publishedSale();
    expect((await run('Sales')).sales.edges).toMatchObject([{ node: { id: saleId } }]);
    const sale = anonymous.subscribe(named('SaleChanged').query, { saleId });
    executed.add('SaleChanged');
    await until(() => sale.seen[0]?.data?.saleChanged.state === 'SCHEDULED');
    const saleCheckout = named('CheckoutInSale').variables.saleCheckout as { items: [object] };
    const items = [{ ...saleCheckout.items[0], saleId }];
    const early = await run('CheckoutInSale', token, { saleCheckout: { ...saleCheckout, items } });
    expect(early.checkout.__typename).toBe('SaleNotOpen');
    expect((await run('PauseSale', vera.token, { saleId })).pauseSale.state).toBe('PAUSED');
    await until(() => sale.seen.at(-1)?.data?.saleChanged.state === 'PAUSED');
    const { report } = (await run('SaleReport', vera.token, { saleId })).sale;
    expect(report).toMatchObject({ allocated: 20, sold: 0 });
    anonymous.close();
    own.close();
    expect(operations.map(({ name }) => name).filter((name) => !executed.has(name))).toEqual([]);
    await system.expectInvariants();
  });
});
