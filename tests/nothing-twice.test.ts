import { randomUUID } from 'node:crypto';
import { getNamedType, isInputObjectType } from 'graphql';
import pg from 'pg';
import { type SubgraphName, subgraphNames } from '../ops/subgraph-names.js';
import { retry } from './harness/retry.js';
import { startRouterBeside, stopRoutersBeside } from './harness/router-beside.js';
import { startSubgraphProxy } from './harness/subgraph-proxy.js';
import { type GraphQLReply, postGraphQL } from './harness/system.js';
import { actAs } from './harness/vendor.js';
import { someoneWaits } from './harness/wait.js';
import { contentsOf, stableContents } from './rights/contents.js';
import { expected, type Viewer, viewers } from './rights/expected.js';
import { api, fieldOf, publicRules, subgraphOf, typesBehind } from './rights/graph.js';
import { type GraphQLRequest, requestFor } from './rights/requests.js';
import { createWorld, type World } from './rights/world.js';

/** They set something to a value, so that a repeat changes nothing more. */
const sets = [
  'setCartItem',
  'removeFromCart',
  'clearCart',
  'updateCategory',
  'updateProduct',
  'updateVariant',
  'setOffer',
  'removeOffer',
  'updateShop',
  'updateSale',
  'setSaleOffers',
  'publishSale',
  'pauseSale',
  'resumeSale',
  'cancelSale',
  'joinSale',
  'leaveSale',
  'setRole',
  'logout',
  'endSession',
  'updateProfile',
  'updateAddress',
  'activateWarehouse',
  'deactivateWarehouse',
  'updateWarehouse',
  'setWarehouseLimit',
  'setLowStockThreshold',
  'setStockBuffer',
];
/** They create or change a session: the outcome under a key would contain tokens. */
const ofSessions = [
  'register',
  'login',
  'verifyOtp',
  'proveEmail',
  'refreshSession',
  'changePassword',
];
const inputTakesKey = (name: string) =>
  fieldOf(api, `Mutation.${name}`)?.args.some(({ type }) => {
    const named = getNamedType(type);
    return isInputObjectType(named) && 'idempotencyKey' in named.getFields();
  }) ?? false;
const argumentIsKey = (name: string) =>
  fieldOf(api, `Mutation.${name}`)?.args.some((arg) => arg.name === 'idempotencyKey') ?? false;

const mutations = Object.keys(api.getMutationType()?.getFields() ?? {});
const keyed = mutations.filter((name) => inputTakesKey(name) || argumentIsKey(name));
/** Their repeats are answered by the claim of checkout and payment, which stores the key before. */
const needsKey = ['checkout', 'payOrder'];

/** A viewer who may run a mutation. */
function viewerOf(name: string): Viewer {
  const rules = publicRules.get(`Mutation.${name}`) ?? [];
  const mayRun = (viewer: Viewer) => expected(rules, viewer) === 'given';
  return viewers.find((viewer) => viewer !== 'nobody' && mayRun(viewer)) as Viewer;
}

describe('a mutation whose answer was lost', () => {
  let world: World;
  let lossyRouter: string;
  const proxies = {} as Record<SubgraphName, Awaited<ReturnType<typeof startSubgraphProxy>>>;
  beforeAll(async () => {
    world = await createWorld();
    const { ports } = world.system.ports;
    const settings: Record<string, string> = {};
    for (const name of subgraphNames) {
      proxies[name] = await startSubgraphProxy(`http://127.0.0.1:${ports[name]}/graphql`);
      settings[`SUBGRAPH_URL_${name.toUpperCase()}`] = proxies[name].url;
    }
    lossyRouter = (await startRouterBeside(world.system, settings)).graphqlUrl;
  });
  afterAll(async () => {
    await stopRoutersBeside();
    await Promise.all(Object.values(proxies).map((each) => each.stop()));
    await world.stop();
  });

  it('is a set, belongs to a session, or takes a key', () => {
    expect([...sets, ...ofSessions, ...keyed].toSorted()).toEqual(mutations.toSorted());
  });

  async function mutationFor(name: string, key?: string): Promise<GraphQLRequest> {
    if (name === 'deliverShopOrder') return keyOf(await delivery(), name, key);
    return keyOf(await requestFor(`Mutation.${name}`, api, world), name, key);
  }

  /** Of a shop order that was shipped. */
  async function delivery(): Promise<GraphQLRequest> {
    const request = await requestFor('Mutation.deliverShopOrder', api, world);
    const id = request.variables.deliverShopOrder_id;
    const ship =
      'mutation ($input: ShipShopOrderInput!) { shipShopOrder(input: $input) { __typename } }';
    const { data } = await world.system.graphql(ship, { input: { id } }, world.tokenOf('vendor'));
    expect(data.shipShopOrder.__typename).toBe('ShopOrder');
    return request;
  }

  function keyOf({ query, variables }: GraphQLRequest, name: string, key?: string): GraphQLRequest {
    const ids = typesBehind(`Mutation.${name}`)
      .filter((type) => fieldOf(api, `${type}.id`))
      .map((type) => `... on ${type} { id }`);
    const selected = query.replace('{ __typename }', `{ __typename ${ids.join(' ')} }`);
    if (!key) return { query: selected, variables };
    if (!argumentIsKey(name)) {
      const [[input, value] = ['', {}]] = Object.entries(variables);
      return {
        query: selected,
        variables: { ...variables, [input]: { ...(value as object), idempotencyKey: key } },
      };
    }
    const withKey = selected
      .replace('mutation (', 'mutation ($key: String, ')
      .replace(`${name}(`, `${name}(idempotencyKey: $key, `);
    return { query: withKey, variables: { ...variables, key } };
  }

  /** Sends a mutation, whose answer does not arrive. @returns what the subgraph had answered */
  async function lose(name: string, { query, variables }: GraphQLRequest) {
    const proxy = proxies[subgraphOf(`Mutation.${name}`)];
    const token =
      name === 'logout' ? await world.newTokenOf(viewerOf(name)) : world.tokenOf(viewerOf(name));
    const before = proxy.lost.length;
    proxy.loseResponsesTo('"query":"mutation');
    const reply = await postGraphQL(lossyRouter, query, variables, token);
    proxy.loseNothing();
    expect(proxy.lost.length).toBe(before + 1);
    return { reply, lost: JSON.parse(proxy.lost.at(-1) as string) as GraphQLReply };
  }

  it.each(mutations)('%s is answered OUTCOME_UNKNOWN', async (name) => {
    const key = needsKey.includes(name) ? randomUUID() : undefined;
    const { reply } = await lose(name, await mutationFor(name, key));
    expect(reply.errors).toMatchObject([
      {
        message:
          'It is not known whether this happened. Repeat it with the same idempotencyKey, or check first.',
        path: ['it'],
        extensions: { code: 'OUTCOME_UNKNOWN' },
      },
    ]);
  });

  it('happens once when it is sent again with its key, and gets the answer that was lost', async () => {
    const sent = [];
    for (const name of keyed) {
      const request = await mutationFor(name, randomUUID());
      const { lost } = await lose(name, request);
      expect({ name, errors: lost.errors }).toEqual({ name, errors: undefined });
      sent.push({ name, request, lost });
    }
    const before = await stableContents(world.system.databases);
    const messages = world.system.messages.sent.length;
    for (const { name, request, lost } of sent) {
      const token = world.tokenOf(viewerOf(name));
      const again = () => world.system.graphql(request.query, request.variables, token);
      const [first, second] = [await again(), await again()];
      expect({ name, again: first.data, errors: first.errors }).toEqual({ name, again: lost.data });
      expect(second.data).toEqual(first.data);
      expect({ name, contents: await contentsOf(world.system.databases) }).toEqual({
        name,
        contents: before,
      });
    }
    expect(world.system.messages.sent.length).toBe(messages);
    await world.system.expectInvariants();
  });

  it('is received once when it is sent 200 times at once with one key', async () => {
    const { query, variables } = await mutationFor('receiveStock', randomUUID());
    const vendor = actAs(world.system, world.people.vendor);
    const units = async () => {
      const levels = await vendor.levels(world.warehouseId);
      return levels.find(({ variant }) => variant.sku === world.sku)?.onHand ?? 0;
    };
    const before = await units();
    const token = world.tokenOf('vendor');
    const send = () => retry(() => world.system.graphql(query, variables, token));
    const replies = await Promise.all(Array.from({ length: 200 }, send));
    expect(new Set(replies.map(({ data }) => JSON.stringify(data)))).toEqual(
      new Set([JSON.stringify(replies[0]?.data)]),
    );
    expect(replies[0]?.errors).toBeUndefined();
    expect(await units()).toBe(before + 1);
  });

  // One moves stock (`moveStock`), the other does not (`transact`).
  it.each(['receiveStock', 'createShop'])(
    '%s is answered TRY_AGAIN when its first request with the key takes too long, and happens once after that',
    async (name) => {
      const key = randomUUID();
      const { query, variables } = await mutationFor(name, key);
      const send = () => world.system.graphql(query, variables, world.tokenOf('vendor'));
      const url = world.system.databases[subgraphOf(`Mutation.${name}`)];
      const [first, observer] = [1, 2].map(() => new pg.Client({ connectionString: url }));
      await Promise.all([first?.connect(), observer?.connect()]);
      const before = await stableContents(world.system.databases);
      // As the first request does, until it commits.
      await first?.query('begin');
      await first?.query(
        'insert into stored_outcome (user_id, operation, key, fingerprint) values ($1, $2, $3, $4)',
        [world.people.vendor.id, name, key, ''],
      );
      const repeated = send();
      await someoneWaits(observer as pg.Client);
      expect((await repeated).errors).toMatchObject([{ extensions: { code: 'TRY_AGAIN' } }]);
      await first?.query('rollback');
      await Promise.all([first?.end(), observer?.end()]);
      expect(await contentsOf(world.system.databases)).toEqual(before);
      const { data, errors } = await send();
      expect(errors).toBeUndefined();
      expect((await send()).data).toEqual(data);
    },
  );
});
