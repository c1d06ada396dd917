import { createServer, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { graphql, parse } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import { close, listen } from '../../subgraphs/shared/http/server.js';

/** A request to a stub, except pings. */
export interface StubRequest {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly authorization: string | undefined;
}

/** `hangs`: accepts a request and never responds; `hangs up`: closes the connection instead. */
export type Behaviour = 'responds' | 'hangs' | 'hangs up';

type Modules = Extract<Parameters<typeof buildSubgraphSchema>[0], readonly unknown[]>;
type Resolvers = Extract<Modules[number], { resolvers?: unknown }>['resolvers'];

/** A small Federation 2 subgraph for tests, which can be made to misbehave, and records its requests. */
export async function startStubSubgraph(typeDefs: string, resolvers: Resolvers) {
  const schema = buildSubgraphSchema([{ typeDefs: parse(typeDefs), resolvers }]);
  const requests: StubRequest[] = [];
  let behaviour: Behaviour = 'responds';
  let released: Promise<void> | undefined;
  let withholdsMutations = false;
  const server = createServer(async (request, response) => {
    const { query, variables = {} } = JSON.parse(await textOf(request));
    const isPing = query === '{ __typename }';
    const { authorization } = request.headers;
    if (!isPing) requests.push({ query, variables, authorization });
    if (behaviour === 'hangs') return;
    if (behaviour === 'hangs up') {
      request.socket.destroy();
      return;
    }
    const result = await graphql({ schema, source: query, variableValues: variables });
    if (!isPing && (withholdsMutations || !query.startsWith('mutation'))) await released;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(result));
  });
  const sockets = new WebSocketServer({ server });
  useServer({ schema }, sockets);
  const url = await listen(server, '127.0.0.1', 0);
  return {
    requests,
    url: `${url}/graphql`,
    typeDefs,
    behave(next: Behaviour) {
      behaviour = next;
    },
    /** Executes queries, and withholds the responses. @returns a function that releases them */
    withholdResponses({ mutations = false } = {}): () => void {
      withholdsMutations = mutations;
      let release = () => {};
      released = new Promise((resolve) => {
        release = resolve;
      });
      return () => {
        released = undefined;
        release();
      };
    },
    async stop() {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      await Promise.race([close(server), sleep(5000, undefined, { ref: false })]);
    },
  };
}
export type StubSubgraph = Awaited<ReturnType<typeof startStubSubgraph>>;

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text;
}
