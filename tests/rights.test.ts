import { type Caller, callers } from '../subgraphs/shared/config.js';
import type { Rule } from '../subgraphs/shared/rights.js';
import {
  askSubgraph,
  firstEvent,
  outcomeOf,
  questionFor,
  questionForEntity,
  wayTo,
} from './rights/ask.js';
import { expected, type Outcome, ownerOf, type Viewer, viewers } from './rights/expected.js';
import {
  api,
  internalFields,
  publicRules,
  type Subgraph,
  splitName,
  subgraphs,
} from './rights/graph.js';
import { emptyHere, endsSession, samples } from './rights/samples.js';
import { ways } from './rights/ways.js';
import { createWorld, type World } from './rights/world.js';

describe('who may have what is as each field states it', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld();
  });
  afterAll(() => world.stop());

  const matrix = async (outcome: (viewer: Viewer) => Promise<Outcome> | Outcome) =>
    Object.fromEntries(
      await Promise.all(viewers.map(async (viewer) => [viewer, await outcome(viewer)])),
    );

  /** What is left to the parent is for whom the field is that leads to it. */
  function rightTo(name: string, rule: Rule): { rule: Rule; owner: Viewer } {
    const [typeName] = splitName(name);
    if (rule === 'parent') {
      const { by } = wayTo(typeName);
      return rightTo(by, publicRules.get(by) as Rule);
    }
    return { rule, owner: ways[typeName]?.owner ?? ownerOf(rule) };
  }

  const expectedMatrix = (name: string, stated: Rule) => {
    const { rule, owner } = rightTo(name, stated);
    return matrix((viewer) => expected(rule, viewer, owner));
  };

  it.each([...publicRules])('%s: %s', async (name, rule) => {
    const outcomes = await matrix(async (viewer) => {
      const question = await questionFor(name, api, world);
      const token = endsSession.has(name) ? await world.newTokenOf(viewer) : world.tokenOf(viewer);
      const reply = question.query.startsWith('subscription')
        ? await firstEvent(world.system, question, token)
        : await world.system.graphql(question.query, question.variables, token);
      return outcomeOf(name, reply);
    });
    expect(outcomes).toEqual(await expectedMatrix(name, rule));
  });

  const entityFields = subgraphs.flatMap((subgraph) =>
    [...subgraph.rights]
      .filter(([name]) => subgraph.entities.includes(splitName(name)[0]))
      .map(([name, [rule]]) => ({ name, rule: rule as Rule, subgraph, of: subgraph.name })),
  );
  it.each(entityFields)('$name of $of, by reference: $rule', async ({ name, rule, subgraph }) => {
    const key = keysOf(world)[splitName(name)[0]];
    if (!key) throw new Error(`${name}: its key is missing in keysOf`);
    const question = questionForEntity(name, subgraph.schema, key);
    const outcomes = await matrix(async (viewer) => {
      const token = world.tokenOf(viewer);
      return outcomeOf(
        name,
        await askSubgraph(world.system, subgraph.name, question, 'router', token),
      );
    });
    expect(outcomes).toEqual(await expectedMatrix(name, rule));
  });

  it.each(internalFields)(
    '$name of $subgraph: $rules, and not in the public graph',
    async (field) => {
      const { subgraph, name } = field;
      const { schema, rights } = subgraphs.find((each) => each.name === subgraph) as Subgraph;
      const rulesOf = (each: string): readonly Rule[] => {
        const rules = rights.get(each) ?? [];
        return rules[0] === 'parent' ? rulesOf(wayTo(splitName(each)[0]).by) : rules;
      };
      const ask = async (caller: Caller | null, token?: string) =>
        askSubgraph(world.system, subgraph, await questionFor(name, schema, world), caller, token);
      const knows = async (caller: Caller) => {
        const probe = { query: '{ __typename }', variables: {} };
        return (await askSubgraph(world.system, subgraph, probe, caller)).status === 200;
      };
      for (const caller of callers) {
        const refusal = (await knows(caller)) ? 'FORBIDDEN' : 'UNAUTHENTICATED';
        const wanted = rulesOf(name).includes(`caller:${caller}`) ? 'given' : refusal;
        expect([caller, outcomeOf(name, await ask(caller))]).toEqual([caller, wanted]);
      }
      expect(outcomeOf(name, await ask(null))).toBe('UNAUTHENTICATED');

      const admin = world.tokenOf('admin');
      expect(outcomeOf(name, await ask('router', admin))).toBe('FORBIDDEN');
      const { query, variables } = await questionFor(name, schema, world);
      const inPublic = await world.system.graphql(query, variables, admin);
      expect(outcomeOf(name, inPublic)).toBe('GRAPHQL_VALIDATION_FAILED');
    },
  );

  it('the tables name nothing that is not there', () => {
    const isThere = (name: string) => subgraphs.some(({ rights }) => rights.has(name));
    const named = [...Object.keys(samples), ...endsSession, ...emptyHere];
    expect(named.filter((name) => !isThere(name))).toEqual([]);
    const types = Object.keys(ways);
    expect(types.filter((type) => !subgraphs.some(({ schema }) => schema.getType(type)))).toEqual(
      [],
    );
  });

  it('nothing was sold twice for it', () => world.system.expectInvariants());
});

/** The keys of the entities, with what the router sends along for those that require more. */
const keysOf = (world: World): Record<string, object | undefined> => ({
  User: { id: world.people.vendor.id },
  Product: { id: world.productId },
  ProductVariant: { sku: 'TRAIL-40' },
  Category: { id: world.categoryId },
  Shop: { id: world.shopId },
  Offer: { id: world.offerId, shop: { id: world.shopId }, variant: { sku: world.sku } },
  Warehouse: { id: world.warehouseId },
  StockLevel: { id: world.stockLevelId },
  Order: { id: world.orderId },
  ShopOrder: { id: world.shopOrderId },
  Payment: { id: world.paymentId },
});
