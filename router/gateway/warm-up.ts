import type { ApolloServer } from '@apollo/server';
import type { Logger } from '../../subgraphs/shared/observability/logger.js';
import type { RouterContext } from '../context.js';
import type { KnownOperation } from '../operations/known-operations.js';
import { acceptOperation } from '../subscriptions/transport/accept.js';

/**
 * Parses, validates and plans known operations before the first client sends them. They take the normal
 * path, but send nothing to subgraphs and count no login. Subscriptions are planned when they are opened.
 *
 * @returns the number of planned operations
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
    const invalid = await acceptOperation(apollo, { query, variables }, contextValue).then(
      (outcome) => outcome.kind === 'response' && outcome.result.data === undefined,
      () => true, // the server stops
    );
    if (invalid) logger.warn({ operation: name }, 'known operation is not valid for this schema');
    else planned += 1;
  }
  return planned;
}
