import { readFileSync } from 'node:fs';
import { ApolloGateway, RemoteGraphQLDataSource } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';

/** `ApolloGateway` as in its guide, for comparison: its own fetcher, without limits, logs or metrics. */
const { SUPERGRAPH_PATH = '', CALLER_HEADER = '', CALLER_CREDENTIALS = '', PORT } = process.env;

class NamedDataSource extends RemoteGraphQLDataSource {
  // The subgraphs respond only to known callers.
  override willSendRequest({ request }: Parameters<RemoteGraphQLDataSource['process']>[0]): void {
    request.http?.headers.set(CALLER_HEADER, CALLER_CREDENTIALS);
  }
}

const gateway = new ApolloGateway({
  supergraphSdl: readFileSync(SUPERGRAPH_PATH, 'utf8'),
  buildService: ({ url }) => new NamedDataSource(url ? { url } : {}),
});
await startStandaloneServer(new ApolloServer({ gateway }), { listen: { port: Number(PORT) } });
process.on('disconnect', () => process.exit(0));
process.on('SIGTERM', () => process.exit(0));
process.send?.('ready');
