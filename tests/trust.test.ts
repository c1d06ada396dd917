import { randomUUID } from 'node:crypto';
import { generateKeyPair, SignJWT } from 'jose';
import { callerCredentials, callerHeader } from '../subgraphs/shared/auth/callers.js';
import { logIn, openShop, type Person, registerPerson } from './harness/people.js';
import { startRouterBeside, stopRoutersBeside } from './harness/router-beside.js';
import { postGraphQL, startSystem, type TestSystem } from './harness/system.js';
import { eventually } from './harness/wait.js';

describe('trust boundaries', () => {
  let system: TestSystem;
  let vendor: Person;
  let otherVendor: Person;
  let customer: Person;
  let shop: Awaited<ReturnType<typeof openShop>>;
  beforeAll(async () => {
    system = await startSystem();
    [vendor, otherVendor, customer] = await Promise.all([
      registerPerson(system, 'VENDOR'),
      registerPerson(system, 'VENDOR'),
      registerPerson(system),
    ]);
    shop = await openShop(system, vendor, [5]);
  });
  afterAll(() => system.stop());

  const subgraphUrl = (name: 'user' | 'product' | 'shop' | 'warehouse' | 'order') =>
    `http://127.0.0.1:${system.ports.ports[name]}/graphql`;
  const as = (caller: 'router' | 'order' | 'shop') => ({
    [callerHeader]: callerCredentials(
      caller,
      system.secrets.callers[`${caller.toUpperCase()}_SECRET`] as string,
    ),
  });

  it.each(['user', 'product', 'shop', 'warehouse', 'order'] as const)(
    'the %s subgraph responds only to processes with a valid secret',
    async (name) => {
      const wrong = { [callerHeader]: callerCredentials('router', 'a wrong secret') };
      const half = { [callerHeader]: 'router' };
      const other = {
        [callerHeader]: as('router')[callerHeader]?.replace('router', 'order') ?? '',
      };
      for (const headers of [{}, wrong, half, other]) {
        for (const query of [
          '{ __typename }',
          '{ _service { sdl } }',
          '{ __schema { types { name } } }',
        ]) {
          const reply = await postGraphQL(subgraphUrl(name), query, {}, undefined, headers);
          expect(reply.status).toBe(401);
          expect(reply.errors?.[0]?.extensions.code).toBe('UNKNOWN_CALLER');
          expect(reply.data).toBeUndefined();
        }
      }
      const known = await postGraphQL(
        subgraphUrl(name),
        '{ __typename }',
        {},
        undefined,
        as('router'),
      );
      expect(known.data).toEqual({ __typename: 'Query' });
    },
  );

  it('internal operations accept only their caller, not the router', async () => {
    const reserve = 'mutation { reserveStock(requests: []) { orderId } }';
    const asRouter = await postGraphQL(
      subgraphUrl('warehouse'),
      reserve,
      {},
      undefined,
      as('router'),
    );
    expect(asRouter.errors?.[0]?.extensions.code).toBe('FORBIDDEN');
    const asOrder = await postGraphQL(
      subgraphUrl('warehouse'),
      reserve,
      {},
      undefined,
      as('order'),
    );
    expect(asOrder.errors).toBeUndefined();
    const address = `{ addressOf(userId: "${customer.id}", id: "${customer.id}") { city } }`;
    const ofUser = (caller: 'router' | 'order') =>
      postGraphQL(subgraphUrl('user'), address, {}, undefined, as(caller));
    expect((await ofUser('router')).errors?.[0]?.extensions.code).toBe('FORBIDDEN');
    expect((await ofUser('order')).data).toEqual({ addressOf: null });
    const deliver = 'mutation { deliverToOrder(events: []) { accepted } }';
    const inbox = await postGraphQL(subgraphUrl('order'), deliver, {}, undefined, as('router'));
    expect(inbox.errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  });

  it('tokens that are forged, changed or unsigned are rejected', async () => {
    const { privateKey } = await generateKeyPair('EdDSA');
    const claims = () =>
      new SignJWT({ role: 'ADMIN' })
        .setSubject(customer.id)
        .setIssuer('holdfast')
        .setAudience('holdfast')
        .setExpirationTime('5m');
    const forged = await claims()
      .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt' })
      .sign(privateKey);
    const [header, payload, signature] = customer.token.split('.') as [string, string, string];
    const changed = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
    const tokens = [
      forged,
      `${header}.${encode({ ...changed, role: 'ADMIN' })}.${signature}`,
      `${encode({ alg: 'none', typ: 'at+jwt' })}.${payload}.`,
      `${encode({ alg: 'HS256', typ: 'at+jwt' })}.${payload}.${signature}`,
      'nonsense',
      `${header}.${payload}.${signature.slice(0, -4)}AAAA`,
    ];
    for (const token of tokens) {
      const reply = await system.graphql('{ me { id } }', {}, token);
      expect(reply.status).toBe(401);
      expect(reply.errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
    }
  });

  const operations = (): Array<[string, string, object]> => [
    ['createShop', 'CreateShopInput', { name: 'S', slug: `s-${randomUUID()}` }],
    ['setOffer', 'SetOfferInput', { shopId: shop.shopId, sku: shop.sku, price: '0.01' }],
    ['createWarehouse', 'CreateWarehouseInput', { shopId: shop.shopId, name: 'W' }],
    [
      'receiveStock',
      'ReceiveStockInput',
      { warehouseId: shop.warehouseIds[0], sku: shop.sku, quantity: 1 },
    ],
    ['createCategory', 'CreateCategoryInput', { name: randomUUID() }],
  ];
  const codeOf = async ([mutation, type, input]: [string, string, object], token?: string) => {
    const { errors } = await system.graphql(
      `mutation ($input: ${type}!) { ${mutation}(input: $input) { id } }`,
      { input },
      token,
    );
    return errors?.[0]?.extensions.code ?? 'done';
  };

  it('only the owner of a shop and admins may change it', async () => {
    const admin = await logIn(system, 'ada');
    const codes = async (token?: string) => {
      const result: Record<string, string> = {};
      for (const operation of operations()) result[operation[0]] = await codeOf(operation, token);
      return result;
    };
    const all = (code: string) => Object.fromEntries(operations().map(([name]) => [name, code]));
    expect(await codes()).toEqual(all('UNAUTHENTICATED'));
    expect(await codes(customer.token)).toEqual(all('FORBIDDEN'));
    const ofOther = { ...all('FORBIDDEN'), createShop: 'done' };
    expect(await codes(otherVendor.token)).toEqual(ofOther);
    expect(await codes(vendor.token)).toEqual({ ...all('done'), createCategory: 'FORBIDDEN' });
    expect(await codes(admin.token)).toEqual(all('done'));
  });

  it('warehouses and levels are visible to the owner of the shop only', async () => {
    const query = `query ($shop: UUID!, $warehouse: UUID!) {
      shop(id: $shop) { name warehouses { edges { node { name } } } }
      warehouse(id: $warehouse) { name }
    }`;
    const variables = { shop: shop.shopId, warehouse: shop.warehouseIds[0] };
    const see = (token?: string) => system.graphql(query, variables, token);
    for (const token of [undefined, customer.token, otherVendor.token]) {
      const { data, errors } = await see(token);
      expect(data).toMatchObject({ shop: { warehouses: null }, warehouse: null });
      expect(errors).toHaveLength(2);
    }
    const own = await see(vendor.token);
    expect(own.data).toMatchObject({ warehouse: { name: 'Warehouse 0' } });
    expect(own.data.shop.warehouses.edges).toContainEqual({ node: { name: 'Warehouse 0' } });
    expect(own.errors).toBeUndefined();
  });

  it('the e-mail address and orders of a user are not visible to others', async () => {
    const query = `query ($id: UUID!) { shop(id: $id) { owner { name email phone orders { edges { node { id } } } } } }`;
    const { data, errors } = await system.graphql(query, { id: shop.shopId }, customer.token);
    expect(data.shop.owner).toEqual({ name: 'Somebody', email: null, phone: null, orders: null });
    expect(errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  });

  it('a router with a wrong secret reports an internal error, and is not ready', async () => {
    const settings = { ROUTER_SECRET: 'unknown to the subgraphs' };
    const router = await startRouterBeside(system, settings);
    const reply = await postGraphQL(router.graphqlUrl, '{ products { totalCount } }');
    expect(reply.errors?.[0]).toMatchObject({
      message: 'Something went wrong on our side.',
      extensions: { code: 'INTERNAL_SERVER_ERROR', requestId: reply.headers.get('x-request-id') },
    });
    const ready = await fetch(`${router.opsUrl}/readyz`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({ supergraph: true, subgraphs: false });
    await stopRoutersBeside();
  });

  it('when a subgraph is unreachable, its fields fail with TRY_AGAIN and the rest is returned', async () => {
    const readyUrl = `http://127.0.0.1:${system.ports.ops.router}/readyz`;
    const readiness = async () => (await fetch(readyUrl)).status;
    await eventually(readiness, (status) => status === 200);
    await system.stopProcess('warehouse');
    const query =
      '{ products(first: 1) { edges { node { name variants { sku availability { available } } } } } }';
    const { data, errors } = await system.graphql(query);
    expect(await eventually(readiness, (status) => status === 503)).toBe(503);
    await system.start('warehouse');
    expect(await eventually(readiness, (status) => status === 200)).toBe(200);
    expect(data.products.edges[0].node.variants[0]).toMatchObject({ availability: null });
    expect(errors?.[0]?.extensions.code).toBe('TRY_AGAIN');
    const again = await system.graphql(query);
    expect(again.errors).toBeUndefined();
  });
});
