import type { ApolloServer } from '@apollo/server';
import type { Logger } from '../../subgraphs/shared/observability/logger.js';
import type { RouterContext } from '../context.js';
import type { KnownOperation } from '../operations/known-operations.js';
import { acceptOperation } from '../subscriptions/transport/accept.js';

/**
 * Has known operations parsed, validated and planned before the first client sends them. They go the
 * way of all others, but no subgraph is asked, and no login is counted. Of subscriptions the plan is
 * made when they are opened.
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
    const invalid = await acceptOperation(apollo, { query, variables }, contextValue).then(
      (outcome) => outcome.kind === 'response' && outcome.result.data === undefined,
      () => true, // the server stops
    );
    if (invalid) logger.warn({ operation: name }, 'a known operation cannot be run on this graph');
    else planned += 1;
  }
  return planned;
}
