import type { ExecutionResult } from 'graphql';
import type { SubscriptionPlan } from './plan.js';

type Versions = Pick<SubscriptionPlan, 'versionOf' | 'showsVersion'>;

/** Whether an event has an earlier version of its entity than the latest that has arrived, over any connection. */
export function isOlder(
  { versionOf }: Versions,
  event: ExecutionResult,
  latest: ExecutionResult | undefined,
): boolean {
  const [version, known] = [versionOf(event.data), versionOf(latest?.data)];
  return version !== null && known !== null && version < known;
}

/**
 * Whether clients have seen the version of an event. They get each version once, even if fields of other subgraphs have
 * changed since.
 *
 * @param sent the latest event of the entity that was sent
 */
export function isRepeated(
  { versionOf, showsVersion }: Versions,
  event: ExecutionResult,
  sent: ExecutionResult | undefined,
): boolean {
  const version = showsVersion ? versionOf(event.data) : null;
  return version !== null && version === versionOf(sent?.data);
}
