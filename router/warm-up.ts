import type { ApolloServer } from '@apollo/server';
import type { Logger } from '../subgraphs/shared/logger.js';
import type { KnownOperation } from './known-operations.js';
import type { RouterContext } from './subgraph-data-source.js';

/**
 * Has known operations parsed, validated and planned before the first client sends them. They go the
 * way of all others, but no subgraph is asked.
 *
 * @returns how many could be planned
 */
export async function warmUp(
  apollo: ApolloServer<RouterContext>,
  operations: readonly KnownOperation[],
  logger: Logger,
): Promise<number> {
  let planned = 0;
  for (const { name, query, variables } of operations) {
    const contextValue = {
      requestId: 'warm-up',
      authorization: undefined,
      address: 'warm-up',
      plansOnly: true,
    };
    const invalid = await apollo.executeOperation({ query, variables }, { contextValue }).then(
      ({ body }) => body.kind === 'single' && body.singleResult.data === undefined,
      () => true, // the server stops
    );
    if (invalid) logger.warn({ operation: name }, 'a known operation cannot be run on this graph');
    else planned += 1;
  }
  return planned;
}
