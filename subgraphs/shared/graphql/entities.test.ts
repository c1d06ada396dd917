import { buildSubgraphSchema } from '@apollo/subgraph';
import { graphql, parse } from 'graphql';
import { oneByOne, resolveEntitiesTogether } from './entities.js';

const typeDefs = parse(`
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
  type Query { one: Offer }
  type Offer @key(fields: "id") { id: ID! stock: Int units(of: Int): Int }
  type Shop @key(fields: "id") { id: ID! name: String! }
`);

interface Offer {
  readonly id: string;
}

function subgraph() {
  const calls: string[] = [];
  const called = <T>(name: string, value: T): T => {
    calls.push(name);
    return value;
  };
  const resolvers = {
    Query: { one: () => ({ id: '9' }) },
    Offer: {
      stock: ({ id }: Offer) => called(`stock of ${id}`, Number(id)),
      units: ({ id }: Offer, { of }: { of?: number }) => called(`units of ${id}`, of ?? -1),
    },
  };
  const schema = buildSubgraphSchema([{ typeDefs, resolvers }]);
  resolveEntitiesTogether(schema, {
    references: {
      Offer: (references) => called(`offers ${references.map(({ id }) => id)}`, references),
      Shop: oneByOne(async ({ id }) => {
        if (id === 'secret') throw new Error('not yours');
        return called(`shop ${id}`, id === 'gone' ? null : { id, name: `Shop ${id}` });
      }),
    },
    fields: {
      'Offer.stock': async (offers: readonly Offer[]) => {
        if (offers.some(({ id }) => id === 'broken')) throw new Error('no stock');
        return called(
          `stock of all ${offers.map(({ id }) => id)}`,
          offers.map(({ id }) => Number(id)),
        );
      },
      'Offer.units': async (offers: readonly Offer[], _context, { of }: { of?: number }) => {
        if (of === 0) throw new Error('none of them');
        return called(
          `units of all, ${of}`,
          offers.map(() => of ?? 7),
        );
      },
    },
  });
  const ask = async (selection: string, representations: object[], fragment = '') => {
    const variables = fragment ? '$r: [_Any!]!, $n: Int' : '$r: [_Any!]!';
    const source = `query (${variables}) {
      _entities(representations: $r) { __typename ${selection} } } ${fragment}`;
    const { data, errors } = await graphql({
      schema,
      source,
      variableValues: { r: representations, n: 3 },
    });
    return {
      entities: data?._entities as unknown,
      errors: errors?.map(({ message, path }) => `${path?.join('.')}: ${message}`),
    };
  };
  return { schema, calls, ask };
}
const offer = (id: string) => ({ __typename: 'Offer', id });
const shop = (id: string) => ({ __typename: 'Shop', id });

describe('the entities of a subgraph', () => {
  it('are resolved by one call for all of a type, and so is a field of all', async () => {
    const { ask, calls } = subgraph();
    const { entities, errors } = await ask('... on Offer { id stock }', ['1', '2', '3'].map(offer));
    expect(errors).toBeUndefined();
    expect(entities).toEqual([1, 2, 3].map((n) => ({ __typename: 'Offer', id: `${n}`, stock: n })));
    expect(calls).toEqual(['offers 1,2,3', 'stock of all 1,2,3']);
  });

  it('keep their order where they are of several types', async () => {
    const { ask } = subgraph();
    const { entities } = await ask('... on Offer { stock } ... on Shop { name }', [
      offer('1'),
      shop('a'),
      offer('2'),
      shop('gone'),
    ]);
    expect(entities).toEqual([
      { __typename: 'Offer', stock: 1 },
      { __typename: 'Shop', name: 'Shop a' },
      { __typename: 'Offer', stock: 2 },
      null,
    ]);
  });

  it('fail one by one, each with its own path', async () => {
    const { ask } = subgraph();
    const { entities, errors } = await ask('... on Shop { name }', [shop('secret'), shop('b')]);
    expect(entities).toEqual([null, { __typename: 'Shop', name: 'Shop b' }]);
    expect(errors).toEqual(['_entities.0: not yours']);
  });

  it('have a field that cannot be read null, each with its own path', async () => {
    const { ask } = subgraph();
    const { entities, errors } = await ask('... on Offer { id stock }', [
      offer('1'),
      offer('broken'),
    ]);
    expect(entities).toMatchObject([
      { id: '1', stock: null },
      { id: 'broken', stock: null },
    ]);
    expect(errors).toEqual(['_entities.0.stock: no stock', '_entities.1.stock: no stock']);
  });

  it('have a field read once for all of its aliases', async () => {
    const { ask, calls } = subgraph();
    const { entities } = await ask(
      '... on Offer { units(of: 2) a: units(of: 2) b: units(of: 3) }',
      [offer('1')],
    );
    expect(entities).toEqual([{ __typename: 'Offer', units: 2, a: 2, b: 3 }]);
    expect(calls).toEqual(['offers 1', 'units of all, 2', 'units of all, 3']);
  });

  it('have a field with arguments read once for each of its response keys', async () => {
    const { ask, calls } = subgraph();
    const { entities, errors } = await ask(
      '... on Offer { units some: units(of: 2) ...f } ... on Offer { some: units(of: 2) none: units(of: 0) }',
      [offer('1'), offer('2')],
      'fragment f on Offer { more: units(of: $n) }',
    );
    const shown = { __typename: 'Offer', units: 7, some: 2, more: 3, none: null };
    expect(entities).toEqual([shown, shown]);
    expect(calls).toEqual(['offers 1,2', ...[undefined, 2, 3].map((of) => `units of all, ${of}`)]);
    expect(errors).toEqual([0, 1].map((n) => `_entities.${n}.none: none of them`));
  });

  it('have the values of their own list, though another list has the same objects', async () => {
    const { ask } = subgraph();
    const { entities } = await ask(
      '... on Offer { units(of: 1) } } other: _entities(representations: $r) { ... on Offer { units(of: 2) stock }',
      [offer('1')],
    );
    expect(entities).toEqual([{ __typename: 'Offer', units: 1 }]);
  });

  it('have a field behind a directive resolved by itself', async () => {
    const { ask, calls } = subgraph();
    const { entities } = await ask(
      '... on Offer { ... @include(if: true) { stock } units(of: 4) @skip(if: false) units(of: 4) }',
      [offer('1')],
    );
    expect(entities).toMatchObject([{ stock: 1, units: 4 }]);
    expect(calls).toEqual(['offers 1', 'units of all, 4', 'stock of 1', 'units of 1']);
  });

  it('are none for no representation', async () => {
    const { ask } = subgraph();
    expect(await ask('... on Offer { id }', [])).toEqual({ entities: [], errors: undefined });
  });

  it.each([
    ['is not an entity', { __typename: 'Query' }, 'Query is not an entity of this subgraph'],
    ['does not exist', { __typename: 'Nothing' }, 'Nothing is not an entity of this subgraph'],
    [
      'has the name of a method',
      { __typename: 'toString' },
      'toString is not an entity of this subgraph',
    ],
    ['is missing', { id: '1' }, 'undefined is not an entity of this subgraph'],
  ])(
    'are an error at the place of a representation whose type %s',
    async (_, representation, message) => {
      const { ask } = subgraph();
      const { entities, errors } = await ask('... on Shop { name }', [
        shop('a'),
        representation,
        shop('b'),
      ]);
      expect(entities).toEqual([
        { __typename: 'Shop', name: 'Shop a' },
        null,
        { __typename: 'Shop', name: 'Shop b' },
      ]);
      expect(errors).toEqual([`_entities.1: ${message}`]);
    },
  );

  it('share no field with the same type elsewhere', async () => {
    const { schema, calls } = subgraph();
    const { data } = await graphql({ schema, source: '{ one { stock } }' });
    expect(data).toEqual({ one: { stock: 9 } });
    expect(calls).toEqual(['stock of 9']);
  });
});
