import type { ExecutionResult, OperationDefinitionNode } from 'graphql';
import { parse } from 'graphql';
import { tryAgain } from '../../subgraphs/shared/errors.js';
import { apiSchemaOf, supergraphOf } from '../../tests/differential/executions.js';
import type { SubgraphRequest, SubgraphResponse } from '../subgraphs/subgraph-service.js';
import { bodyOf } from '../subgraphs/subgraph-service.js';
import { createExecutor } from './executor.js';
import { stringifyResponse } from './passed-text.js';
import { planningOf } from './planning.js';

const link = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@requires",
  "@external", "@inaccessible"])`;
const interfaceLink = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key",
  "@interfaceObject"])`;
const sdls = {
  goods: `${link}
    type Query { goods: [Good!] first: Good! kinds: [Kind] any: [Any] }
    type Mutation { add(name: String): Good }
    enum Kind { OLD NEW SECRET @inaccessible }
    union Any = Good | Hidden
    type Hidden @inaccessible { id: ID! }
    type Good @key(fields: "id") { id: ID! name: String price(currency: String): Int maker: Maker }
    type Maker @key(fields: "id") { id: ID! }`,
  extra: `${link}
    type Good @key(fields: "id") {
      id: ID! price(currency: String): Int @external stock: Int tags: [String!]
      dollars: Int @requires(fields: "price(currency: \\"USD\\")")
      euros: Int @requires(fields: "price(currency: \\"EUR\\")") }
    type Maker @key(fields: "id") { id: ID! title: String! place: Place }
    type Place @key(fields: "id") { id: ID! city: String }`,
  weather: `${link}
    type Place @key(fields: "id") { id: ID! rain: Int }`,
};
const supergraphSdl = supergraphOf(sdls);

type Answer = SubgraphResponse | Error;
interface Sent {
  readonly service: string;
  readonly query: string;
  readonly variables: { readonly representations?: readonly object[] };
}

/** Executes an operation; subgraphs answer by the given functions. */
async function execute(
  text: string,
  answers: Record<string, (sent: Sent) => Answer>,
  { variables = {}, errorsFirst = [] as string[], supergraph = supergraphSdl } = {},
) {
  const sent: Sent[] = [];
  const services = new Map(
    Object.keys(sdls).map((service) => {
      const fetch = async (request: SubgraphRequest) => {
        const one = { service, ...JSON.parse(bodyOf(request)) };
        sent.push(one);
        const answer = answers[service]?.(one) ?? { data: null };
        if (answer instanceof Error) throw answer;
        return request.acceptsText && !answer.errors ? { text: JSON.stringify(answer) } : answer;
      };
      return [service, { fetch, process: fetch as never }] as const;
    }),
  );
  const planning = planningOf(supergraph);
  const options = {
    planning,
    schema: apiSchemaOf(supergraph),
    services,
    errorsFirst: new Set(errorsFirst),
    isPublic: () => false,
    cache: new Map(),
  };
  const document = parse(text);
  const context = { requestId: 'r', authorization: undefined, address: 'a' };
  const result = (await createExecutor(options)({
    key: text,
    document,
    definition: document.definitions[0] as OperationDefinitionNode,
    variables,
    context,
  })) as ExecutionResult;
  const errors = result.errors?.map(({ path, extensions }) => [path, extensions.code]);
  return { result, data: JSON.parse(JSON.stringify(result.data ?? null)), errors, sent };
}

const madeBy = (id: string) => ({ maker: { __typename: 'Maker', id } });
const unchanged = { code: 'NOPE' };

describe('entities', () => {
  const query = '{ goods { maker { title place { city } } } }';
  const goods = () => ({ data: { goods: ['1', '2', '1'].map(madeBy) } });

  it('are requested once for each representation, and go to all places', async () => {
    const maker = (title: string) => ({ title, place: { city: title } });
    const extra = () => ({ data: { _entities: [maker('one'), maker('two')] } });
    const { data, sent } = await execute(query, { goods, extra });
    expect(sent[1]?.variables).toEqual({
      representations: ['1', '2'].map((id) => ({ __typename: 'Maker', id })),
    });
    const shown = ['one', 'two', 'one'].map((title) => ({ maker: maker(title) }));
    expect(data).toEqual({ goods: shown });
  });

  it('report an error at each of their places, with the client’s keys', async () => {
    const extra = () => ({
      data: { _entities: [{ title: 'one', place: { city: null } }, null] },
      errors: [
        { message: 'no', path: ['_entities', 0, 'place', 'city'], extensions: unchanged },
        { message: 'no', path: ['_entities', 1], extensions: unchanged },
      ],
    });
    const text = '{ all: goods { maker { title place { city } } } }';
    const aliased = ({ query: q }: Sent) => {
      const alias = /(\w+):goods/.exec(q)?.[1] as string;
      return { data: { [alias]: goods().data.goods } };
    };
    const { data, errors } = await execute(text, { goods: aliased, extra });
    expect(errors).toEqual([
      [['all', 0, 'maker', 'place', 'city'], 'NOPE'],
      [['all', 2, 'maker', 'place', 'city'], 'NOPE'],
      [['all', 1, 'maker'], 'NOPE'],
    ]);
    expect(data.all[1]).toEqual({ maker: null });
  });

  it('within another one are each at a place of their own', async () => {
    const maker = (id: string) => ({ place: { __typename: 'Place', id } });
    const extra = () => ({ data: { _entities: [maker('a'), maker('b')] } });
    const weather = () => ({
      data: { _entities: [{ rain: null }, { rain: 1 }] },
      errors: [{ message: 'no', path: ['_entities', 0, 'rain'], extensions: unchanged }],
    });
    const text = '{ goods { maker { place { rain } } } }';
    const { errors } = await execute(text, { goods, extra, weather });
    const pathAt = (n: number) => ['goods', n, 'maker', 'place', 'rain'];
    expect(errors).toEqual([0, 2].map((n) => [pathAt(n), 'NOPE']));
  });

  it('report one error for each missing place if their request fails', async () => {
    const { data, errors } = await execute(query, { goods, extra: () => tryAgain('down') });
    expect(data).toEqual({ goods: [0, 1, 2].map(() => ({ maker: null })) });
    const paths = [0, 2, 1].flatMap((n) => [
      [['goods', n, 'maker', 'title'], 'TRY_AGAIN'],
      [['goods', n, 'maker', 'place'], 'TRY_AGAIN'],
    ]);
    expect(errors).toEqual(paths);
  });

  it('that are not those requested are an error', async () => {
    const { data, errors } = await execute(query, {
      goods,
      extra: () => ({ data: { _entities: [] } }),
    });
    expect(errors?.[0]).toEqual([undefined, undefined]);
    expect(data.goods[0]).toEqual({ maker: null });
  });
});

describe('response keys that objects inherit', () => {
  const refused = { message: 'no', path: ['b', 'name'], extensions: { code: 'NOT_FOUND' } };

  it('are those of the client only, and change no other object', async () => {
    const text =
      '{ __proto__: first { polluted: name toString: name } constructor: first { name } b: first { name } }';
    const good = JSON.parse(
      '{"data":{"__proto__":{"polluted":"x","toString":"y"},"constructor":{"name":"z"},"b":{"name":null}}}',
    );
    const { result, errors } = await execute(text, {
      goods: () => ({ ...good, errors: [refused] }),
    });
    expect(JSON.stringify(result.data)).toBe(
      '{"__proto__":{"polluted":"x","toString":"y"},"constructor":{"name":"z"},"b":{"name":null}}',
    );
    expect(errors).toEqual([[['b', 'name'], 'NOT_FOUND']]);
    expect(({} as { polluted?: string }).polluted).toBeUndefined();
    expect(`${{}}`).toBe('[object Object]');
  });

  it('are null where the response lacks them', async () => {
    const goods = () => ({ data: { first: { __typename: 'Good', id: '1' } } });
    const { data } = await execute('{ first { id toString: name constructor: maker { id } } }', {
      goods,
    });
    expect(data).toEqual({ first: { id: '1', toString: null, constructor: null } });
  });
});

describe('nulls', () => {
  it('that must not be are reported where the client selected them', async () => {
    const goods = () => ({ data: { first: null } });
    const { data, errors } = await execute('{ first { name } }', { goods });
    expect([data, errors]).toEqual([null, [[['first'], 'INTERNAL_SERVER_ERROR']]]);
  });

  it('of a request that a subgraph refuses as a whole, without a path, are not reported again', async () => {
    const refusal = { message: 'bad input', extensions: { code: 'BAD_USER_INPUT' } };
    const { data, errors } = await execute('{ first { name } }', {
      goods: () => ({ errors: [refusal] }),
    });
    expect([data, errors]).toEqual([null, [[undefined, 'BAD_USER_INPUT']]]);
  });

  it('that an error explains are not reported again', async () => {
    const error = { message: 'no', path: ['first', 'name'], extensions: unchanged };
    const goods = () => ({ data: { first: null }, errors: [error] });
    const { data, errors } = await execute('{ first { name } }', { goods });
    expect([data, errors]).toEqual([null, [[['first', 'name'], 'NOPE']]]);
  });

  it.each([
    [
      'an enum value that clients do not see',
      '{ kinds }',
      { kinds: ['OLD', 'SECRET'] },
      { kinds: ['OLD', null] },
      ['kinds', 1],
    ],
    [
      'a type that clients do not see',
      '{ any { __typename } }',
      { any: [{ __typename: 'Hidden' }] },
      { any: [null] },
      ['any', 0],
    ],
    ['something else than a list', '{ kinds }', { kinds: 'OLD' }, { kinds: null }, ['kinds']],
    [
      'something else than an object',
      '{ goods { name } }',
      { goods: [1] },
      { goods: null },
      ['goods', 0],
    ],
    [
      'a number for a text',
      '{ first { name } }',
      { first: { name: 1 } },
      { first: { name: null } },
      ['first', 'name'],
    ],
  ])('replace %s', async (_, text, answer, expected, path) => {
    const { data, errors } = await execute(text, { goods: () => ({ data: answer }) });
    expect([data, errors]).toEqual([expected, [[path, 'INTERNAL_SERVER_ERROR']]]);
  });
});

describe('fields that @requires names with arguments', () => {
  const answers = {
    goods: ({ query }: Sent): Answer => {
      const prices = [...query.matchAll(/(?:(\w+):)?price\(currency:"(\w+)"\)/g)];
      const shown = prices.map(([, alias, currency]) => [
        alias ?? 'price',
        currency === 'USD' ? 10 : 9,
      ]);
      return { data: { first: { __typename: 'Good', id: '1', ...Object.fromEntries(shown) } } };
    },
    extra: ({ variables, query }: Sent): Answer => {
      const [given] = variables.representations as [{ price: number }];
      return {
        data: { _entities: [{ [/dollars|euros/.exec(query)?.[0] as string]: given.price }] },
      };
    },
  };

  it('may be selected with others', async () => {
    const { data } = await execute('{ first { price(currency: "EUR") dollars } }', answers);
    expect(data).toEqual({ first: { price: 9, dollars: 10 } });
  });

  it('may be required with several: they are planned apart', async () => {
    const { data, sent } = await execute('{ first { dollars euros } }', answers);
    expect(data).toEqual({ first: { dollars: 10, euros: 9 } });
    expect(sent).toHaveLength(4);
  });

  it('and that a mutation would need with several are refused: it must not be sent twice', async () => {
    const refused = execute('mutation { add { dollars euros } }', answers);
    await expect(refused).rejects.toThrow('different arguments');
  });

  it('show an error if the data changed between the plans', async () => {
    let ids = 0;
    const goods = (sent: Sent) => {
      const answer = answers.goods(sent) as { data: { first: { id: string } } };
      answer.data.first.id = `${ids++}`;
      return answer;
    };
    const { errors } = await execute('{ first { id dollars euros } }', { ...answers, goods });
    expect(errors).toEqual([[undefined, 'TRY_AGAIN']]);
  });
});

describe('a response of a subgraph', () => {
  const goods = () => ({ data: { goods: [{ id: '1', name: 'x' }] } });
  const text = JSON.stringify(goods());
  const inOrder = '{ goods { id name } }';
  const options = { errorsFirst: ['goods'] };

  it('is passed on as text if it is what the client selected', async () => {
    const { result, data } = await execute(inOrder, { goods }, options);
    expect(stringifyResponse(result)).toBe(text);
    expect(data).toEqual(goods().data);
    expect(result.data?.goods).toEqual(goods().data.goods);
  });

  it.each([
    ['of a subgraph that may write errors last', inOrder, []],
    ['with enum values that clients must not see', '{ kinds }', ['goods']],
    ['with types that clients must not see', '{ any { __typename } }', ['goods']],
  ])('is not passed on %s', async (_, query, errorsFirst) => {
    const data = { goods: [], kinds: [], any: [] };
    const { result } = await execute(query, { goods: () => ({ data }) }, { errorsFirst });
    expect(stringifyResponse(result)).toMatch(/\n$/);
  });

  it('with errors is never passed on as text', async () => {
    const failing = () => ({ ...goods(), errors: [{ message: 'no', path: ['goods', 0, 'name'] }] });
    const { errors } = await execute(inOrder, { goods: failing }, options);
    expect(errors).toEqual([[['goods', 0, 'name'], 'DOWNSTREAM_SERVICE_ERROR']]);
  });
});

it.each(['{ __schema { queryType { name } } }', '{ __type(name: "Good") { name } }'])(
  'introspection falls back to Apollo’s executor: %s',
  async (text) => {
    expect((await execute(text, {})).result).toEqual({ fallback: 'introspection' });
  },
);

describe('a field of an interface object that no subgraph can resolve', () => {
  const supergraph = supergraphOf({
    goods: `${interfaceLink}
      interface Node @key(fields: "id") { id: ID! }
      type Query { a: Node c: Int }`,
    extra: `${interfaceLink}
      type Node @key(fields: "id", resolvable: false) @interfaceObject { id: ID! field: String }
      type Query { b: Node }`,
  });

  it.each(['{ a { field } }', '{ c a { field } }', '{ b { field } first: a { field } }'])(
    'is an error, although the plan is without it: %s',
    async (text) => {
      await expect(execute(text, {}, { supergraph })).rejects.toThrow(/the plan fetches no field/);
    },
  );
});

it('fields that a condition leaves out are not requested', async () => {
  const goods = () => ({ data: { first: { __typename: 'Good', id: '1', name: 'x' } } });
  const text = 'query ($all: Boolean = false) { first { name stock @include(if: $all) } }';
  const { data, sent } = await execute(text, { goods });
  expect([data, sent.length]).toEqual([{ first: { name: 'x' } }, 1]);
});
