import type { SubscribePayload } from 'graphql-ws';
import type { SubscriptionPlan, Variables } from './plan.js';

/**
 * What is sent to the subgraph that has the events.
 *
 * @param token is called each time it is sent: that of the first subscriber may have expired at a reconnection
 */
export function subscribePayload(
  { primary }: SubscriptionPlan,
  variables: Variables,
  token: () => string | undefined,
): SubscribePayload {
  const used = primary.variableUsages ?? [];
  const usedVariables = Object.entries(variables).filter(([name]) => used.includes(name));
  return {
    query: primary.operation,
    variables: Object.fromEntries(usedVariables),
    operationName: primary.operationName,
    get extensions() {
      const authorization = token();
      return authorization === undefined ? undefined : { authorization };
    },
  };
}
