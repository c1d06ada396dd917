import type { ExecutionResult } from 'graphql';
import type { KeptEvent } from './kept-events.js';
import type { SubscriptionPlan } from './plan.js';

type Versions = Pick<SubscriptionPlan, 'versionOf'>;

/** Whether an event has an earlier version of its entity than the latest that has arrived, over any connection. */
export function isOlder(
  { versionOf }: Versions,
  event: ExecutionResult,
  latest: ExecutionResult | undefined,
): boolean {
  const [version, known] = [versionOf(event.data), versionOf(latest?.data)];
  return version !== null && known !== null && version < known;
}

/** Whether clients have a result without errors of this event, or of one with the same version. */
export function isComplete(
  { versionOf }: Versions,
  event: ExecutionResult,
  kept: KeptEvent | undefined,
): boolean {
  if (!kept || kept.result.errors) return false;
  const version = versionOf(event.data);
  return kept.event === event || (version !== null && version === versionOf(kept.event.data));
}
