import { type Caller, callers } from '../subgraphs/shared/config.js';
import type { Rule } from '../subgraphs/shared/rights/rights.js';
import { contentsOf, stableContents } from './rights/contents.js';
import { expected, type Outcome, type Viewer, viewers } from './rights/expected.js';
import {
  api,
  internalFields,
  publicRules,
  type Subgraph,
  splitName,
  subgraphOf,
  subgraphs,
  typesBehind,
} from './rights/graph.js';
import { matrix as matrixByRule } from './rights/matrix.js';
import {
  firstEvent,
  type GraphQLRequest,
  outcomeOf,
  querySubgraph,
  requestFor,
  requestsForEntity,
  wayTo,
} from './rights/requests.js';
import { emptyHere, endsSession, samples } from './rights/samples.js';
import { ways } from './rights/ways.js';
import { createWorld, type World } from './rights/world.js';

const isRoot = (name: string) => /^(Query|Mutation|Subscription)\./.test(name);

describe('access rules of fields', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld();
  });
  afterAll(() => world.stop());

  const matrix = async (outcome: (viewer: Viewer) => Promise<Outcome> | Outcome) =>
    Object.fromEntries(
      await Promise.all(viewers.map(async (viewer) => [viewer, await outcome(viewer)])),
    );

  /** A field that is left to its parent has the rules of the field that leads to the parent. */
  function rightTo(name: string): { rules: readonly Rule[]; owner?: Viewer | undefined } {
    const [typeName] = splitName(name);
    const rules = publicRules.get(name) ?? [];
    return rules.includes('parent')
      ? rightTo(wayTo(typeName).by)
      : { rules, owner: ways[typeName]?.owner };
  }

  const expectedMatrix = (name: string) => {
    const { rules, owner } = rightTo(name);
    return matrix((viewer) => expected(rules, viewer, owner));
  };

  it('the rules in the schemas match the matrix', () => {
    const written = Object.entries(matrixByRule).flatMap(([rule, names]) =>
      (names ?? []).map((name) => [name, rule] as const),
    );
    const lines = new Map(written);
    expect(lines.size).toBe(written.length);
    const stated = [...publicRules].filter(
      ([name]) => isRoot(name) || lines.has(`${splitName(name)[0]}.*`),
    );
    const lineOf = (name: string) => lines.get(name) ?? lines.get(`${splitName(name)[0]}.*`);
    expect(Object.fromEntries(stated.map(([name, rules]) => [name, rules.join()]))).toEqual(
      Object.fromEntries(stated.map(([name]) => [name, lineOf(name)])),
    );
    const fields = new Set(stated.map(([name]) => name));
    expect(
      written.map(([name]) => name).filter((name) => !/\*$/.test(name) && !fields.has(name)),
    ).toEqual([]);
  });

  it('a refused mutation changes nothing', async () => {
    const refused: { request: GraphQLRequest; viewer: Viewer }[] = [];
    for (const name of publicRules.keys()) {
      if (!name.startsWith('Mutation.')) continue;
      const outcomes = await expectedMatrix(name);
      for (const viewer of viewers.filter((each) => outcomes[each] !== 'given')) {
        refused.push({ request: await requestFor(name, api, world), viewer });
      }
    }
    const before = await stableContents(world.system.databases);
    expect(before['order.customer_order']).toMatch(/^[0-9a-f]{32}$/);
    for (const { request, viewer } of refused) {
      await world.system.graphql(request.query, request.variables, world.tokenOf(viewer));
    }
    expect(await contentsOf(world.system.databases)).toEqual(before);
  });

  const publicFields = [...publicRules].map(([name, rules]) => ({ name, who: rules.join(', ') }));
  it.each(publicFields)('$name is for $who', async ({ name }) => {
    const outcomes = await matrix(async (viewer) => {
      const request = await requestFor(name, api, world);
      const token = endsSession.has(name) ? await world.newTokenOf(viewer) : world.tokenOf(viewer);
      const reply = request.query.startsWith('subscription')
        ? await firstEvent(world.system, subgraphOf(name), request, token)
        : await world.system.graphql(request.query, request.variables, token);
      return outcomeOf(name, reply);
    });
    expect(outcomes).toEqual(await expectedMatrix(name));
  });

  const entityFields = subgraphs.flatMap((subgraph) =>
    [...subgraph.rights]
      .filter(([name]) => subgraph.entities.includes(splitName(name)[0]))
      .map(([name, rules]) => ({ name, who: rules.join(', '), subgraph, of: subgraph.name })),
  );
  it.each(entityFields)(
    '$name of $of is for $who, also by reference',
    async ({ name, subgraph }) => {
      for (const request of requestsForEntity(name, subgraph.schema, world)) {
        const outcomes = await matrix(async (viewer) => {
          const token = world.tokenOf(viewer);
          return outcomeOf(
            name,
            await querySubgraph(world.system, subgraph.name, request, 'router', token),
          );
        });
        expect({ request, outcomes }).toEqual({ request, outcomes: await expectedMatrix(name) });
      }
    },
  );

  it.each(internalFields)(
    '$name of $subgraph is for $rules, and not in the public API',
    async (field) => {
      const { subgraph, name } = field;
      const { schema, rights } = subgraphs.find((each) => each.name === subgraph) as Subgraph;
      const rulesOf = (each: string): readonly Rule[] => {
        const rules = rights.get(each) ?? [];
        return rules[0] === 'parent'
          ? rulesOf(wayTo(splitName(each)[0], (field) => rights.has(field)).by)
          : rules;
      };
      const send = async (caller: Caller | null, token?: string) =>
        querySubgraph(world.system, subgraph, await requestFor(name, schema, world), caller, token);
      const knows = async (caller: Caller) => {
        const probe = { query: '{ __typename }', variables: {} };
        return (await querySubgraph(world.system, subgraph, probe, caller)).status === 200;
      };
      for (const caller of callers) {
        const refusal = (await knows(caller)) ? 'FORBIDDEN' : 'UNKNOWN_CALLER';
        const wanted = rulesOf(name).includes(`caller:${caller}`) ? 'given' : refusal;
        expect([caller, outcomeOf(name, await send(caller))]).toEqual([caller, wanted]);
      }
      expect(outcomeOf(name, await send(null))).toBe('UNKNOWN_CALLER');

      const admin = world.tokenOf('admin');
      expect(outcomeOf(name, await send('router', admin))).toBe('FORBIDDEN');
      const { query, variables } = await requestFor(name, schema, world);
      const inPublic = await world.system.graphql(query, variables, admin);
      expect(outcomeOf(name, inPublic)).toBe('GRAPHQL_VALIDATION_FAILED');
    },
  );

  it('only fields for those who may read an entity lead to it', () => {
    const sufficient: Partial<Record<Rule, readonly Rule[]>> = {
      own: ['own', 'self', 'signed-in', 'admin'],
      'shop-owner': ['shop-owner', 'admin'],
    };
    for (const name of publicRules.keys()) {
      for (const type of typesBehind(name)) {
        const rulesOfType = publicRules.get(`${type}.id`) ?? [];
        const allowed = rulesOfType.flatMap((rule) => sufficient[rule] ?? []);
        if (allowed.length === 0) continue;
        const tooOpen = rightTo(name).rules.filter((rule) => !allowed.includes(rule));
        expect({ name, tooOpen }).toEqual({ name, tooOpen: [] });
      }
    }
  });

  it('samples and ways name only existing fields and types', () => {
    const exists = (name: string) => subgraphs.some(({ rights }) => rights.has(name));
    const named = [...Object.keys(samples), ...endsSession, ...emptyHere];
    expect(named.filter((name) => !exists(name))).toEqual([]);
    const types = Object.keys(ways);
    expect(types.filter((type) => !subgraphs.some(({ schema }) => schema.getType(type)))).toEqual(
      [],
    );
  });

  it('the invariants hold afterwards', async () => {
    await world.system.expectInvariants();
  });
});
