import { buildSchema, type OperationDefinitionNode } from 'graphql';
import { coerceVariables, parseOrNull } from './graphql-ast.js';

const schema = buildSchema('type Query { of(count: Int = 2, name: String): Int }');
const operationOf = (query: string) =>
  parseOrNull(query)?.definitions[0] as OperationDefinitionNode;

describe('the variables of a request', () => {
  const counting = operationOf('query ($count: Int = 3) { of(count: $count) }');
  const naming = operationOf('query ($count: String) { of(name: $count) }');

  it('are coerced once for the same operation', () => {
    const given = {};
    const first = coerceVariables(schema, counting, given);
    expect(first).toEqual({ coerced: { count: 3 } });
    expect(coerceVariables(schema, counting, given)).toBe(first);
  });

  it('are coerced again for another operation, and in another schema', () => {
    const given = { count: 4 };
    expect(coerceVariables(schema, counting, given)).toEqual({ coerced: { count: 4 } });
    expect(coerceVariables(schema, naming, given)).toMatchObject({
      errors: [{ message: expect.stringContaining('String cannot represent a non string value') }],
    });
    const other = buildSchema('type Query { of(count: Int): Int } scalar Date');
    const before = coerceVariables(schema, counting, given);
    expect(coerceVariables(other, counting, given)).not.toBe(before);
  });
});
