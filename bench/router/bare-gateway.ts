import { readFileSync } from 'node:fs';
import { ApolloGateway, RemoteGraphQLDataSource } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';

/** `ApolloGateway` as its guide shows it, for comparison: its own fetcher, and no manners at all. */
const { SUPERGRAPH_PATH = '', CALLER_HEADER = '', CALLER_CREDENTIALS = '', PORT } = process.env;

class NamedDataSource extends RemoteGraphQLDataSource {
  // The subgraphs answer nobody else.
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
