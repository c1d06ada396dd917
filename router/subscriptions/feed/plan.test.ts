import { buildSubgraphSchema } from '@apollo/subgraph';
import { execute, type GraphQLSchema, parse } from 'graphql';
import { apiSchemaOf, supergraphOf } from '../../../tests/differential/executions.js';
import type { SubgraphRequest } from '../../subgraphs/subgraph-service.js';
import { bodyOf } from '../../subgraphs/subgraph-service.js';
import { parseFacts } from '../../supergraph/supergraph-facts.js';
import { createPlanner } from './plan.js';

const link = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@requires",
  "@external"])`;
const item = {
  __typename: 'Item',
  id: '1',
  size: 7,
  price: ({ in: currency }: { in: string }) => currency.length,
};
const sdls = {
  items: `${link}
    type Query { item: Item }
    type Subscription { changed: Item! }
    type Item @key(fields: "id") { id: ID! size: Int price(in: String!): Int }`,
  details: `${link}
    type Item @key(fields: "id") {
      id: ID! size: Int @external price(in: String!): Int @external
      double: Int @requires(fields: "size")
      dollars: Int @requires(fields: "price(in: \\"$\\")")
      euros: Int @requires(fields: "price(in: \\"EUR\\")")
      note: String maker: Maker }
    type Maker @key(fields: "id") { id: ID! name: String }`,
};
const resolvers = {
  items: { Item: { __resolveReference: () => item } },
  details: {
    Item: {
      double: ({ size }: { size: number }) => size * 2,
      dollars: ({ price }: { price: number }) => price,
      euros: ({ price }: { price: number }) => price,
      note: () => 'noted',
      maker: () => ({ id: 'm', name: 'made' }),
    },
  },
};
const supergraphSdl = supergraphOf(sdls);
const subgraphs = new Map<string, GraphQLSchema>(
  Object.entries(sdls).map(([name, sdl]) => {
    const modules = { typeDefs: parse(sdl), resolvers: resolvers[name as keyof typeof sdls] };
    return [name, buildSubgraphSchema([modules as never])];
  }),
);

/** The result of one event of a subscription, as its client receives it. */
async function resultOf(text: string, variables: Record<string, unknown> = {}) {
  const run = async (name: string, query: string, variableValues: Record<string, unknown>) => {
    const schema = subgraphs.get(name) as GraphQLSchema;
    const rootValue = { changed: item, item };
    const result = await execute({ schema, document: parse(query), variableValues, rootValue });
    return JSON.parse(JSON.stringify(result));
  };
  const services = new Map(
    [...subgraphs.keys()].map((name) => {
      const fetch = async (request: SubgraphRequest) => {
        const { query, variables: given } = JSON.parse(bodyOf(request));
        return run(name, query, given);
      };
      return [name, { fetch, process: fetch as never }] as const;
    }),
  );
  const schema = apiSchemaOf(supergraphSdl);
  const planner = createPlanner({ supergraphSdl, schema, services, facts: parseFacts(null) });
  const plan = planner.plan(parse(text), undefined, variables);
  const event = await run(plan.primary.serviceName, plan.primary.operation, variables);
  const context = { requestId: 'r', authorization: undefined, address: '' };
  return JSON.parse(JSON.stringify(await plan.execute(event, variables, context)));
}

/** What graphql-js answers over one schema with the same data. */
async function expectedOf(text: string, variableValues: Record<string, unknown>) {
  const changed = {
    ...item,
    double: 14,
    dollars: 1,
    euros: 3,
    note: 'noted',
    maker: { id: 'm', name: 'made' },
  };
  const document = parse(text);
  const schema = apiSchemaOf(supergraphSdl);
  const result = await execute({ schema, document, rootValue: { changed }, variableValues });
  return JSON.parse(JSON.stringify(result));
}

describe('an event of a subscription', () => {
  it.each([
    'size @include(if: $a) double note @skip(if: $b)',
    'id size @include(if: $a) double @include(if: $b)',
    'size @include(if: $a) double @skip(if: $a)',
    '... @include(if: $a) { size note } double @include(if: $b)',
    '... on Item @include(if: $a) { double maker { name } } ... @include(if: $b) { double maker { id } size }',
    'maker @include(if: $a) { name } maker @include(if: $b) { id } id',
    'maker @include(if: $a) { id @include(if: $b) } size @include(if: $b)',
    'maker { name @include(if: $a) }',
    'double @include(if: $a) @skip(if: $b) size',
    'size: note @include(if: $a) double @include(if: $b)',
    'dollars @include(if: $a) price(in: "five!") @skip(if: $b)',
    'dollars @include(if: $a) euros @skip(if: $a)',
    '__typename @include(if: $a) t: __typename note @include(if: $b)',
  ])('has what @skip and @include leave of %s', async (selection) => {
    const text = `subscription ($a: Boolean!, $b: Boolean = true) { changed { ${selection} } }`;
    for (const variables of [
      { a: true },
      { a: false },
      { a: true, b: false },
      { a: false, b: false },
    ]) {
      const result = await resultOf(text, variables);
      expect([variables, result]).toEqual([variables, await expectedOf(text, variables)]);
    }
  });

  it('cannot have fields that require the same field with different arguments', async () => {
    await expect(resultOf('subscription { changed { dollars euros } }')).rejects.toThrow(
      'need the same field with different arguments',
    );
  });
});
