import { ApolloServer, type ApolloServerPlugin } from '@apollo/server';
import { getOperationAST, type OperationDefinitionNode, parse } from 'graphql';
import type { Admitted, OperationClass, RouterContext } from '../context.js';
import { overloaded } from './admission.js';
import { classOf, operationClassPlugin, textOf } from './operation-class.js';

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

describe('an operation that is refused once its class is known', () => {
  it('is not counted before, neither its cost nor a login', async () => {
    const counted: string[] = [];
    const counting: ApolloServerPlugin<RouterContext> = {
      requestDidStart: async () => ({
        async didResolveOperation({ request }) {
          counted.push(request.operationName as string);
        },
      }),
    };
    const server = new ApolloServer<RouterContext>({
      typeDefs: 'type Query { a: Int } type Mutation { b: Int }',
      plugins: [operationClassPlugin([counting])],
    });
    const full: Admitted = {
      operationClass: 'query',
      setClass(actual: OperationClass) {
        if (actual === 'mutation') throw overloaded();
      },
      end() {},
    };
    const send = async (query: string, operationName: string) => {
      const contextValue = {
        requestId: 'r',
        authorization: undefined,
        address: '',
        admitted: full,
      };
      const { http } = await server.executeOperation({ query, operationName }, { contextValue });
      return { status: http.status, retryAfter: http.headers.get('retry-after') };
    };
    const refused = { status: 503, retryAfter: '1' };
    expect(await send('mutation Refused { b }', 'Refused')).toEqual(refused);
    expect((await send('query Read { a }', 'Read')).status).not.toBe(503);
    expect(counted).toEqual(['Read']);
    await server.stop();
  });
});
