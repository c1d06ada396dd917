import { buildSchema, getIntrospectionQuery, type OperationDefinitionNode, parse } from 'graphql';
import { introspectionLengths, parseListLengths } from '../supergraph/list-lengths.js';
import { operationCost } from './operation-cost.js';

const schema = buildSchema(`
  type Query { orders(first: Int! = 20, after: String): Orders tree: [Node!]! node: Node tags(last: Int): [String!] names(first: Int = 30, last: Int): [String!] }
  type Orders { edges: [Edge!]! total: Int }
  type Edge { node: Order cursor: String }
  type Order { id: ID parts: [Part!]! }
  type Part { id: ID items: [Item!]! order: Order }
  type Item { id: ID part: Part words: [String!]! unstated: [String!]! }
  type Node { name: String children: [Node!]! parent: Node }
`);
const lengths = parseListLengths(
  JSON.stringify({
    'Orders.edges': { max: 100 },
    'Order.parts': { max: 10 },
    'Part.items': { max: 10, together: ['Order.parts'] },
    'Item.words': { max: 3 },
    'Query.tree': { max: 50 },
    'Node.children': { max: 50, together: ['Query.tree', 'Node.children'] },
  }),
);
const costOf = (query: string, values = {}) => {
  const document = parse(query);
  const operation = document.definitions[0] as OperationDefinitionNode;
  const all = new Map([...lengths, ...introspectionLengths(schema)]);
  return operationCost(schema, document, operation, all, values);
};

describe('the cost of an operation is the number of values that its answer may have', () => {
  it.each<[string, string, number, object?]>([
    ['one for each leaf', '{ __typename }', 1],
    ['one for each object and its leaves', '{ node { name parent { name } } }', 4],
    ['the default of a page', '{ orders { edges { node { id } } } }', 1 + 20 * 3],
    ['the size of a page', '{ orders(first: 5) { edges { cursor } } }', 1 + 5 * 2],
    ['at least one entry', '{ orders(first: 0) { edges { cursor } } }', 1 + 2],
    ['the size in a variable', '{ orders(first: $n) { edges { cursor } total } }', 16, { n: 7 }],
    ['no more than the greatest size', '{ orders(first: 900) { edges { cursor } } }', 1 + 100 * 2],
    ['the size of a list with pages', '{ tags(last: 4) }', 4],
    ['10 for a page without a size', '{ tags }', 10],
    ['the default of a page for a variable without a value', '{ names(first: $n) }', 30],
    ['the default of a page for null', '{ names(first: $n) }', 30, { n: null }],
    ['the default of a page for a null that is written', '{ names(first: null) }', 30],
    ['the greater of two sizes', '{ names(first: 2, last: 50) }', 50],
    [
      'the greatest length of a list',
      '{ orders(first: 1) { edges { node { parts { id } } } } }',
      23,
    ],
    [
      'lists that share their length once',
      '{ orders(first: 2) { edges { node { parts { items { id } } } } } }',
      1 + 2 * (2 + 10 + 10 * 2),
    ],
    [
      'the same lists in full where another field leads to them',
      '{ orders(first: 1) { edges { node { parts { items { part { items { id } } } } } } } }',
      1 + 2 + 10 + 10 * (2 + 10 * 2),
    ],
    ['a tree once a level', '{ tree { children { children { name } } } }', 50 + 50 + 50 * 2],
    ['a tree below one node', '{ node { children { children { name } } } }', 1 + 50 + 50 * 2],
    [
      'a list of leaves',
      '{ orders(first: 1) { edges { node { parts { items { words } } } } } }',
      53,
    ],
    [
      '10 for a list whose length is not stated',
      '{ orders(first: 1) { edges { node { parts { items { unstated } } } } } }',
      1 + 2 + 10 + 10 * 11,
    ],
    ['each alias', '{ a: node { name } b: node { name } }', 4],
    [
      'each use of a fragment, also inline',
      '{ node { ...N parent { ...N } ... on Node { name } } } fragment N on Node { name }',
      5,
    ],
    ['skipped fields too', '{ node { name @skip(if: true) } }', 2],
  ])('%s', (...[, query, cost, values]) => {
    expect(costOf(query, values)).toBe(cost);
  });

  it('is computed at once for fragments that each use the next one twice', () => {
    const fragments = Array.from(
      { length: 60 },
      (_, n) => `fragment F${n} on Node { ...F${n + 1} ...F${n + 1} }`,
    );
    const last = 'fragment F60 on Node { name }';
    expect(costOf(`{ node { ...F0 } } ${fragments.join(' ')} ${last}`)).toBe(1 + 2 ** 60);
  });

  it('of introspection is what the schema has, and multiplies where it leads back to itself', () => {
    expect(costOf(getIntrospectionQuery())).toBeLessThan(6000);
    const back = '{ __schema { types { fields { type { fields { type { name } } } } } } }';
    const once = '{ __schema { types { fields { type { name } } } } }';
    expect(costOf(back)).toBeGreaterThan(costOf(once) * 10);
  });
});

describe('list-lengths.json', () => {
  it.each(['{', '[]', '{"A.b": 3}', '{"A.b": {"max": 0}}', '{"A.b": {"max": "many"}}'])(
    'is refused if it is %s',
    (text) => {
      expect(() => parseListLengths(text)).toThrow('list-lengths.json is malformed');
    },
  );

  it('may be missing', () => {
    expect(parseListLengths(null).size).toBe(0);
  });
});
