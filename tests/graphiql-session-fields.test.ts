import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSchema, getNamedType, isUnionType } from 'graphql';
import { root } from '../ops/subgraph-names.js';
import { sessionFields } from '../web/graphiql/session-fields.js';

describe('the mutations that GraphiQL sends without its token', () => {
  it('are those that return a session, except those that concern the account of the token', () => {
    const schema = buildSchema(readFileSync(join(root, 'schema/api.graphql'), 'utf8'));
    const fields = Object.values(schema.getMutationType()?.getFields() ?? {});
    const returnSession = fields.filter(({ type }) => {
      const named = getNamedType(type);
      const types = isUnionType(named) ? named.getTypes() : [named];
      return types.some(({ name }) => name === 'Session');
    });
    const ofAccount = ['changePassword', 'proveEmail'];
    const expected = returnSession.map(({ name }) => name).sort();
    expect([...sessionFields, ...ofAccount].sort()).toEqual(expected);
  });
});
