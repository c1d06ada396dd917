import { readFileSync } from 'node:fs';
import { ApolloGateway, RemoteGraphQLDataSource } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { Agent, fetch } from 'undici';

/** `ApolloGateway` as in its guide, without limits, logs or metrics: with its own fetcher, or with undici's. */
const { SUPERGRAPH_PATH = '', CALLER_HEADER = '', CALLER_CREDENTIALS = '', PORT } = process.env;
type Options = NonNullable<ConstructorParameters<typeof RemoteGraphQLDataSource>[0]>;
type Fetcher = NonNullable<Options['fetcher']>;

// Closes idle connections before the subgraphs do.
const dispatcher = new Agent({ keepAliveTimeout: 4000 });
const undiciFetcher = ((url: string, init: object) =>
  fetch(url, { ...init, dispatcher })) as unknown as Fetcher;

class NamedDataSource extends RemoteGraphQLDataSource {
  // The subgraphs respond only to known callers.
  override willSendRequest({ request }: Parameters<RemoteGraphQLDataSource['process']>[0]): void {
    request.http?.headers.set(CALLER_HEADER, CALLER_CREDENTIALS);
  }
}

const fetcher = process.env.FETCHER === 'undici' ? { fetcher: undiciFetcher } : {};
const gateway = new ApolloGateway({
  supergraphSdl: readFileSync(SUPERGRAPH_PATH, 'utf8'),
  buildService: ({ url }) => new NamedDataSource({ ...(url && { url }), ...fetcher }),
});
await startStandaloneServer(new ApolloServer({ gateway }), {
  listen: { host: '127.0.0.1', port: Number(PORT) },
});
