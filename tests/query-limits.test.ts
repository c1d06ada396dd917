import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { getIntrospectionQuery } from 'graphql';
import { root } from '../ops/subgraph-names.js';
import { startRouterBeside, stopRoutersBeside } from './harness/router-beside.js';
import { type GraphQLReply, postGraphQL, startSystem, type TestSystem } from './harness/system.js';

/** The caller's orders, their customer, and so on, nested to the given depth. */
const nested = (depth: number) => {
  const path = ['me', ...Array(depth).fill(['orders', 'edges', 'node', 'customer']).flat()];
  const names = path.slice(0, depth - 1);
  return `{ ${names.join(' { ')} { __typename ${'} '.repeat(names.length)}}`;
};
const times = (n: number, make: (n: number) => string) =>
  Array.from({ length: n }, (_, each) => make(each)).join(' ');

describe('the limits of an operation', () => {
  let system: TestSystem;
  beforeAll(async () => {
    system = await startSystem();
  });
  afterEach(stopRoutersBeside);
  afterAll(() => system.stop());

  const refusal = ({ status, data, errors }: GraphQLReply) => ({
    status,
    data,
    code: errors?.[0]?.extensions.code,
    message: errors?.[0]?.message,
  });
  const refused = (message: string, code = 'GRAPHQL_VALIDATION_FAILED') => ({
    status: 400,
    data: undefined,
    code,
    message: expect.stringMatching(message),
  });
  const get = async (query: string) => {
    const url = `${system.url}?query=${encodeURIComponent(query)}`;
    const response = await fetch(url, { headers: { 'apollo-require-preflight': '1' } });
    const body = (await response.json()) as GraphQLReply;
    return { ...body, status: response.status, headers: response.headers };
  };

  const overLimit: Array<[string, string, string]> = [
    ['deeper than 10 fields', nested(11), '^Query depth limit of 10 exceeded, found 11'],
    [
      'deeper than 10 fields through fragments',
      `{ me { ...A } } fragment A on User { orders { edges { node { ...B } } } }
       fragment B on Order { customer { orders { edges { node { shopOrders { shop { id } } } } } } }`,
      '^Query depth limit of 10 exceeded, found 11',
    ],
    [
      'more than 15 aliases',
      `{ ${times(16, (n) => `a${n}: serverTime`)} }`,
      '^Aliases limit of 15 exceeded, found 16',
    ],
    [
      'aliases in a fragment',
      `{ ...A } fragment A on Query { ${times(16, (n) => `a${n}: __typename`)} }`,
      '^Aliases limit of 15 exceeded, found 16',
    ],
    [
      'more than 8 directives',
      `{ ${times(9, (n) => `a${n}: __typename @include(if: true)`)} }`,
      '^Directives limit of 8 exceeded, found 9',
    ],
    [
      'more than 15 repeated fields',
      `{ ${times(17, () => 'serverTime')} }`,
      '^Repeated fields limit of 15 exceeded',
    ],
    [
      'nested pages',
      `{ shops(first: 100) { edges { node { offers(first: 100) { edges { node {
         variant { offers(first: 100) { id } } } } } } } } }`,
      '^Query cost limit of 250000 exceeded',
    ],
    [
      'nested pages of the default size',
      `{ products(first: 100) { edges { node { variants { offers { id price { amount currencyCode }
         shop { id name slug owner { id name } } availability { available version } } } } } } }`,
      '^Query cost limit of 250000 exceeded',
    ],
    [
      '30 fragments, each of which spreads the next twice',
      `{ me { ...F0 } } ${times(30, (n) => `fragment F${n} on User { ...F${n + 1} ...F${n + 1} }`)}
       fragment F30 on User { id }`,
      '^Query cost limit of 250000 exceeded',
    ],
    [
      'lists without pages, nested in pages',
      '{ products(first: 100) { edges { node { variants { offers(first: 100) { id } } } } } }',
      '^Query cost limit of 250000 exceeded, found 2010201',
    ],
    [
      'a list that leads back to itself three times',
      `{ product(id: "01a19467-e800-7bbc-8f36-20aff7415dc0") { ...A } }
       fragment A on Product { variants { product { variants { product { variants { sku } } } } } }`,
      '^Query cost limit of 250000 exceeded',
    ],
    [
      'introspection that leads back to itself',
      '{ __schema { types { fields { type { fields { type { name } } } } } } }',
      '^Query cost limit of 250000 exceeded',
    ],
  ];

  it.each(overLimit)('refuse %s, also by GET', async (_, query, message) => {
    expect(refusal(await system.graphql(query))).toEqual(refused(message));
    expect(refusal(await get(query))).toEqual(refused(message));
  });

  it('refuse nested pages whose sizes are in variables, or in their defaults', async () => {
    const within =
      'products(first: $n) { edges { node { variants { offers(first: $n) { id } } } } }';
    const query = (type: string) => `query ($n: Int${type}) { ${within} }`;
    const message = '^Query cost limit of 250000 exceeded';
    expect(refusal(await system.graphql(query('!'), { n: 100 }))).toEqual(refused(message));
    expect(refusal(await system.graphql(query('! = 100')))).toEqual(refused(message));
    const small = await system.graphql(query('!'), { n: 2 });
    expect(small.status).toBe(200);
  });

  it('use the cost of each request, whatever the cost of earlier requests with the same text', async () => {
    const pages = (n: string) =>
      `products(first: $${n}) { edges { node { variants { offers(first: $${n}) { id } } } } }`;
    const query = `query A($a: Int) { ${pages('a')} } query B($b: Int) { ${pages('b')} }`;
    const send = async (operationName: string, variables: object) => {
      const headers = { 'content-type': 'application/json' };
      const body = JSON.stringify({ query, operationName, variables });
      return (await fetch(system.url, { method: 'POST', headers, body })).status;
    };
    const [small, large] = [2, 100];
    const statuses = [
      await send('A', { a: small, b: large }),
      await send('A', { a: large, b: small }),
      await send('B', { a: large, b: small }),
      await send('B', { a: small, b: large }),
      await send('A', { a: small, b: large }),
    ];
    expect(statuses).toEqual([200, 400, 200, 400, 200]);
  });

  it('refuse null for a variable with a default where a value is required', async () => {
    const uses = [
      ['Int = 5', 'products(first: $n) { edges { cursor } }'],
      ['Int = 5', 'products { edges { node { variants { offers(first: $n) { id } } } } }'],
      ['Boolean = true', 'serverTime @include(if: $n)'],
      ['UUID = "01a19467-e800-7bbc-8f36-20aff7415dc0"', 'order(id: $n) { id }'],
      ['String = "a"', '...F } fragment F on Query { variant(sku: $n) { sku }'],
    ];
    for (const [type, field] of uses) {
      const reply = await system.graphql(`query ($n: ${type}) { ${field} }`, { n: null });
      expect(refusal(reply)).toEqual(
        refused('The variable \\$n must not be null', 'BAD_USER_INPUT'),
      );
    }
    const allowed = 'query ($n: String = "a") { products(after: $n) { edges { cursor } } }';
    expect((await system.graphql(allowed, { n: null })).errors).toBeUndefined();
  });

  it('accept operations at the limits', async () => {
    for (const query of [
      '{ categories { children { children { name } } } }',
      nested(10),
      `{ ${times(15, (n) => `a${n}: serverTime`)} }`,
      `{ ${times(8, (n) => `a${n}: __typename @include(if: true)`)} }`,
      `{ ${times(16, () => 'serverTime')} }`,
      `query ($n: Int!) { products(first: $n) { edges { node { name variants { sku name
         offers(first: 10) { id price { amount } shop { name } availability { available } } } } } } }`,
    ]) {
      const { status, errors } = await system.graphql(query, { n: 20 });
      expect(errors?.filter((error) => error.message !== 'Log in first.') ?? []).toEqual([]);
      expect(status).toBe(200);
    }
  });

  it('stop the parser after 1,000 tokens', async () => {
    for (const query of [
      `{ ${times(1000, () => '__typename')} }`,
      `{ ${'me { '.repeat(15_000)}`,
      `{ product(id: ${'['.repeat(90_000)}`,
      `{ ...F0 } ${times(2000, (n) => `fragment F${n} on Query { ...F${n + 1} }`)}`,
      `{ product(id: ${'{a: '.repeat(20_000)}`,
    ]) {
      const reply = await system.graphql(query);
      const message = 'more that 1000 tokens. Parsing aborted';
      expect(refusal(reply)).toEqual(refused(message, 'GRAPHQL_PARSE_FAILED'));
    }
  });

  it.each([
    ['a fragment in itself', '{ ...A } fragment A on Query { ...A }', 'itself'],
    [
      'fragments in a circle, with fields between them',
      `{ me { ...A ...B } } fragment A on User { orders { edges { node { customer { ...B } } } } }
       fragment B on User { a: id ...A orders { edges { node { customer { ...A } } } } }`,
      'itself',
    ],
    ['an unknown fragment', '{ ...Nothing }', 'Unknown fragment'],
    ['an unknown fragment in a field', '{ me { ...Nothing id } }', 'Unknown fragment'],
    [
      'a chain of 120 fragments',
      `{ ...F0 } ${times(120, (n) => `fragment F${n} on Query { ...F${n + 1} }`)}`,
      'Unknown fragment',
    ],
    [
      'a list in 480 lists',
      `{ product(id: ${'['.repeat(480)}${']'.repeat(480)}) { id } }`,
      'Value depth limit of 10 exceeded',
    ],
    [
      'an object in 240 objects',
      `mutation { login(input: ${'{a: '.repeat(240)}1${'}'.repeat(240)}) { __typename } }`,
      'Value depth limit of 10 exceeded',
    ],
    ['330 nested fields', `{ ${'me { '.repeat(330)} id ${'} '.repeat(331)}`, 'depth limit'],
    [
      'fragments that all spread each other',
      `{ ...F0 } ${times(18, (n) => `fragment F${n} on Query { ${times(18, (m) => `...F${m}`)} }`)}`,
      'itself',
    ],
  ])('refuse %s as invalid, without a crash', async (_, query, message) => {
    const reply = await system.graphql(query);
    expect(refusal(reply)).toMatchObject({ status: 400, code: 'GRAPHQL_VALIDATION_FAILED' });
    expect(reply.errors?.map((error) => error.message).join('\n')).toMatch(message);
  });

  it('refuse variables that are nested in thousands of lists', async () => {
    const lists = `${'['.repeat(30_000)}${']'.repeat(30_000)}`;
    const query = 'query ($id: UUID!) { product(id: $id) { id } }';
    const body = `{ "query": ${JSON.stringify(query)}, "variables": { "id": ${lists} } }`;
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(system.url, { method: 'POST', headers, body });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('Value depth limit of 10 exceeded.');
  });

  it('refuse an array of operations as a whole', async () => {
    const body = JSON.stringify([{ query: '{ serverTime }' }, { query: '{ serverTime }' }]);
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(system.url, { method: 'POST', headers, body });
    expect(response.status).toBe(400);
    const { errors } = (await response.json()) as GraphQLReply;
    expect(errors?.[0]).toMatchObject({
      message: 'Operation batching disabled.',
      extensions: { code: 'BAD_REQUEST' },
    });
  });

  it('accept the introspection queries of tools', async () => {
    for (const query of [
      getIntrospectionQuery(),
      getIntrospectionQuery({ specifiedByUrl: true, inputValueDeprecation: true }),
    ]) {
      const { data, errors } = await system.graphql(query);
      expect(errors).toBeUndefined();
      expect(data.__schema.mutationType.name).toBe('Mutation');
    }
  });

  it('accept the operations of docs/operations/configuration.md', async () => {
    const page = readFileSync(join(root, 'docs/operations/configuration.md'), 'utf8');
    const operations = [...page.matchAll(/```graphql\n(.*?)```/gs)].map((match) => match[1]);
    expect(operations.length).toBeGreaterThan(3);
    for (const operation of operations) {
      const { errors } = await system.graphql(operation as string);
      expect(errors?.filter((error) => /limit/.test(error.message)) ?? []).toEqual([]);
    }
  });

  it('hide the schema in production, from introspection and from suggestions', async () => {
    const router = await startRouterBeside(system, { NODE_ENV: 'production' });
    const send = (query: string, variables = {}) =>
      postGraphQL(router.graphqlUrl, query, variables);
    const schema = await send('{ __schema { types { name } } }');
    expect(refusal(schema)).toEqual(refused('introspection is not allowed'));
    const inQuery = await send('{ serverTim }');
    expect(inQuery.errors?.[0]?.message).toBe('Cannot query field "serverTim" on type "Query".');
    const login = 'mutation ($input: LoginInput!) { login(input: $input) { __typename } }';
    const inVariable = await send(login, {
      input: { identifier: 'a', password: 'b', passwor: '' },
    });
    expect(inVariable.errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
    expect(JSON.stringify(inVariable.errors)).not.toContain('Did you mean');
    const outside = await system.graphql('{ serverTim }');
    expect(outside.errors?.[0]?.message).toContain('Did you mean "serverTime"?');
  });

  it('show the schema in production if INTROSPECTION is true', async () => {
    const settings = { NODE_ENV: 'production', INTROSPECTION: 'true' };
    const router = await startRouterBeside(system, settings);
    const { errors } = await postGraphQL(router.graphqlUrl, '{ __schema { types { name } } }');
    expect(errors).toBeUndefined();
  });
});
