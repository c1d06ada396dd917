import { getOperationAST, type OperationDefinitionNode, parse } from 'graphql';
import { classOf, textOf } from './operation-class.js';

const classIn = (text: string, name?: string) => {
  const document = parse(text);
  return classOf(document, getOperationAST(document, name) as OperationDefinitionNode);
};

describe('the class of an operation', () => {
  it.each([
    ['query', '{ cart { id } }'],
    ['query', 'query { payOrder: product { id } }'],
    ['mutation', 'mutation { checkout { id } }'],
    ['mutation', 'mutation { payOrder: checkout { id } }'],
    ['mutation', 'mutation { payOrder { id } checkout { id } }'],
    [
      'mutation',
      'mutation { payOrder { id } ...More } fragment More on Mutation { checkout { id } }',
    ],
    ['payment', 'mutation { payOrder { id } }'],
    [
      'payment',
      'mutation { paid: payOrder { id } ...More } fragment More on Mutation { payOrder { id } }',
    ],
  ])('is %s for %s', (expected, text) => {
    expect(classIn(text)).toBe(expected);
  });

  it('is that of the operation that is executed', () => {
    const text = 'query Look { cart { id } } mutation Pay { payOrder { id } }';
    expect([classIn(text, 'Look'), classIn(text, 'Pay')]).toEqual(['query', 'payment']);
  });
});

describe('an operation is known again', () => {
  it('by its text and name, or by its hash', () => {
    const persistedQuery = { version: 1, sha256Hash: 'abc' };
    expect(textOf({ query: '{ a }', operationName: 'A', variables: { n: 1 } })).toBe('A{ a }');
    expect(textOf({ extensions: { persistedQuery } })).toBe('abc');
    expect(textOf({ query: '{ a }', extensions: { persistedQuery } })).toBe('{ a }');
  });

  it.each([undefined, null, 7, 'text', [], {}, { query: 1, extensions: { persistedQuery: null } }])(
    'by nothing if it is %j',
    (body) => {
      expect(textOf(body)).toBe('');
    },
  );
});
