import {
  buildSchema,
  type FieldNode,
  getOperationAST,
  type OperationDefinitionNode,
  parse,
} from 'graphql';
import { namedItems } from './named-items.js';

const schema = buildSchema(`
  type Query { one: Int }
  type Subscription { stock(skus: [String!], shopIds: [ID!] = ["1", "2"], shopId: ID): Int }
`);

function itemsOf(query: string, variables = {}): number {
  const operation = getOperationAST(parse(query)) as OperationDefinitionNode;
  const [root] = operation.selectionSet.selections as [FieldNode];
  return namedItems(schema, root, operation.variableDefinitions ?? [], variables);
}

describe('the items that a subscription names', () => {
  it.each([
    ['of a list', 'subscription { stock(skus: ["a", "b", "c"], shopIds: []) }', {}, 3],
    ['of several lists', 'subscription { stock(skus: ["a"], shopIds: ["1", "2"]) }', {}, 3],
    ['of a default of the schema', 'subscription { stock }', {}, 2],
    [
      'of a variable',
      'subscription ($s: [String!]) { stock(skus: $s, shopIds: []) }',
      { s: ['a', 'b'] },
      2,
    ],
    [
      'of a default of a variable',
      'subscription ($s: [String!] = ["a", "b", "c"]) { stock(skus: $s, shopIds: []) }',
      {},
      3,
    ],
    [
      'of a variable in a list',
      'subscription ($s: String!) { stock(skus: [$s, "b"], shopIds: []) }',
      { s: 'a' },
      2,
    ],
    ['of one value for a list', 'subscription { stock(skus: "a", shopIds: []) }', {}, 1],
    ['of no list', 'subscription { stock(shopIds: null, shopId: "1") }', {}, 1],
  ])('are those %s', (_, query, variables, items) => {
    expect(itemsOf(query, variables)).toBe(items);
  });
});
